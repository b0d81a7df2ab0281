import { expect, it } from 'vitest';
import { openApi } from './openapi.js';
import { operations } from './operations.js';

it('docs/openapi.json is what the schemas say; npx vitest run --project unit -u openapi.test writes it anew', async () => {
  const text = `${JSON.stringify(openApi(operations), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('../../../../docs/openapi.json');
});
