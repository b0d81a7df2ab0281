import { describe, expect, it } from 'vitest';
import { openFileLimit, parseOpenFiles } from './open-files.js';

describe('the limit of open files', () => {
  it('is the soft one of the process', () => {
    const text = [
      'Limit                     Soft Limit           Hard Limit           Units',
      'Max processes             63432                63432                processes',
      'Max open files            1024                 524288               files',
    ];
    expect(parseOpenFiles(text.join('\n'))).toBe(1024);
  });

  it('is undefined where it is unlimited or not told', () => {
    expect(parseOpenFiles('Max open files            unlimited            unlimited            files')).toBe(
      undefined,
    );
    expect(parseOpenFiles('')).toBe(undefined);
  });

  it('is read of this process on Linux', () => {
    const limit = openFileLimit();
    if (process.platform === 'linux' && limit !== undefined) expect(limit).toBeGreaterThan(0);
    expect(['number', 'undefined']).toContain(typeof limit);
  });
});
