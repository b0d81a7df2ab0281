import { describe, expect, it } from 'vitest';
import { cloudEventOf } from './cloud-events.js';

const attributes = { specversion: '1.0', id: '7', source: '/shop', type: 'order.created' };

describe('the CloudEvent of a message', () => {
  it.each([':', '_'])('is read from headers that begin with cloudEvents%s', (mark) => {
    const headers = Object.fromEntries(
      Object.entries({ ...attributes, region: 'eu' }).map(([name, value]) => [
        `cloudEvents${mark}${name}`,
        value,
      ]),
    );
    expect(cloudEventOf({ data: { n: 1 }, headers: { ...headers, 'x-shop': 'a' } })).toEqual({
      ...attributes,
      region: 'eu',
      datacontenttype: 'application/json',
      data: { n: 1 },
    });
    expect(cloudEventOf({ data: 'ahoy', headers })).toEqual({ ...attributes, region: 'eu', data: 'ahoy' });
    const bytes = Uint8Array.of(1);
    expect(cloudEventOf({ data: bytes, headers, contentType: 'image/png' })).toMatchObject({
      datacontenttype: 'image/png',
      data: bytes,
    });
    expect(cloudEventOf({ data: null, headers })).not.toHaveProperty('data');
  });

  it('is the body that is one, its bytes decoded', () => {
    expect(cloudEventOf({ data: { ...attributes, data: { n: 1 } } })).toEqual({
      ...attributes,
      data: { n: 1 },
    });
    expect(cloudEventOf({ data: { ...attributes, data_base64: 'AQI=' } })).toEqual({
      ...attributes,
      data: Uint8Array.of(1, 2),
    });
  });

  it.each([
    null,
    'text',
    7,
    [],
    { ...attributes, specversion: '0.3' },
    { ...attributes, id: '' },
    { ...attributes, source: 1 },
    { specversion: '1.0', id: '7', source: '/shop' },
  ])('is none where %j is no CloudEvent', (data) => {
    expect(cloudEventOf({ data })).toBeUndefined();
  });
});
