import { cloudEventOf } from '@evenkeel/protocol/wire';
import { describe, expect, it } from 'vitest';
import { cloudEvent } from './cloud-event.js';

const event = {
  id: '7',
  source: '/shop',
  type: 'order.created',
  time: '2026-11-27T13:00:00Z',
  region: 'eu',
  data: { number: 7 },
};

describe('a CloudEvent', () => {
  it('is published by headers, or as one body, with one identity and its own time', () => {
    expect(cloudEvent(event)).toEqual({
      payload: { number: 7 },
      options: {
        id: '/shop 7',
        headers: {
          'evenkeel-at': Date.parse(event.time),
          'cloudEvents:specversion': '1.0',
          'cloudEvents:id': '7',
          'cloudEvents:source': '/shop',
          'cloudEvents:type': 'order.created',
          'cloudEvents:time': event.time,
          'cloudEvents:region': 'eu',
        },
      },
    });
    expect(cloudEvent(event, 'structured')).toEqual({
      payload: { specversion: '1.0', ...event },
      options: {
        id: '/shop 7',
        headers: { 'evenkeel-at': Date.parse(event.time) },
        contentType: 'application/cloudevents+json; charset=utf-8',
      },
    });
    expect(cloudEvent({ ...event, source: 'x'.repeat(300) }).options.id).toHaveLength(43);
  });

  it('carries bytes in either mode', () => {
    const bytes = { ...event, datacontenttype: 'image/png', data: Uint8Array.of(1, 2) };
    expect(cloudEvent(bytes).options.contentType).toBe('image/png');
    const { payload } = cloudEvent(bytes, 'structured');
    expect(payload).toMatchObject({ data_base64: 'AQI=', datacontenttype: 'image/png' });
    expect(cloudEventOf({ data: payload })).toEqual({ specversion: '1.0', ...bytes });
  });

  it.each([
    { ...event, id: '' },
    { ...event, source: 7 },
    { ...event, Region: 'eu' },
    { ...event, region: { eu: true } },
    { ...event, specversion: '0.3' },
  ])('is refused where it is none: %j', (wrong) => {
    expect(() => cloudEvent(wrong as never)).toThrow(/CloudEvent/);
  });
});
