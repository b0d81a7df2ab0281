import { describe, expect, it } from 'vitest';
import { isNodeUrl, isNodeUrlPattern, NodeUrls } from './node-url.js';

describe('the URL of a node', () => {
  it.each([
    'ws://127.0.0.1:8101/ws',
    'wss://edge-1.example.com/ws',
    'wss://[::1]:8101/ws',
    'wss://mesh/e/edge-1/ws',
  ])('may be %s where there is no pattern', (url) => expect(isNodeUrl(url)).toBe(true));

  it.each([
    'http://edge/ws',
    'javascript:alert(1)',
    'edge-1',
    '',
    'wss://user:pass@edge/ws',
    'wss://edge/ws#part',
  ])('is never %s', (url) => expect(isNodeUrl(url)).toBe(false));

  it.each([
    ['wss://*.example.com', 'wss://edge-1.example.com/ws', true],
    ['wss://*.example.com', 'wss://EDGE-1.Example.com/any/path', true],
    ['wss://*.example.com', 'wss://a.b.example.com/ws', true],
    ['wss://*.example.com', 'wss://example.com/ws', false],
    ['wss://*.example.com', 'wss://example.com.evil.org/ws', false],
    ['wss://*.example.com', 'wss://evil.org/.example.com', false],
    ['wss://*.example.com', 'wss://evil.org/?.example.com', false],
    ['wss://*.example.com', 'wss://edgeXexample.com/ws', false],
    ['wss://*.example.com', 'ws://edge-1.example.com/ws', false],
    ['wss://*.example.com', 'wss://edge-1.example.com:8443/ws', false],
    ['wss://*.example.com:8443', 'wss://edge-1.example.com:8443/ws', true],
    ['ws://127.0.0.1:*', 'ws://127.0.0.1:8101/ws', true],
    ['ws://127.0.0.1:*', 'ws://127.0.0.10:8101/ws', false],
    ['wss://mesh.example/edge/*/ws', 'wss://mesh.example/edge/edge-1/ws', true],
    ['wss://mesh.example/edge/*/ws', 'wss://mesh.example/other/edge-1/ws', false],
    ['ws://[::1]:*', 'ws://[::1]:8101/ws', true],
  ])('under %s: %s %s', (pattern, url, isTaken) => {
    expect(isNodeUrlPattern(pattern)).toBe(true);
    expect(isNodeUrl(url, [pattern])).toBe(isTaken);
    expect(isNodeUrl(url, ['ws://elsewhere', pattern])).toBe(isTaken);
  });

  it('is given by patterns of one form', () => {
    for (const text of [
      '*.example.com',
      'https://*.example.com',
      'wss://',
      'wss://a b',
      'wss://u@h',
      'wss://h/?q',
      'wss://h:port',
    ])
      expect(isNodeUrlPattern(text)).toBe(false);
  });
});

it('tells once of each node that is not where a node may be', () => {
  const told: string[] = [];
  const urls = new NodeUrls(['wss://*.example.com'], (node, url) => told.push(`${node} ${url}`));
  for (let n = 0; n < 3; n += 1) {
    expect(urls.takes({ node: 'e1', url: 'wss://e1.example.com/ws' })).toBe(true);
    expect(urls.takes({ node: 'zz', url: 'wss://evil.example/ws' })).toBe(false);
  }
  expect(told).toEqual(['zz wss://evil.example/ws']);
});
