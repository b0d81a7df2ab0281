import { expect, test } from 'vitest';
import { notesOf } from './notes.js';

const changelog = `# Changelog

## [1.1.0] – unreleased

### Added

- A thing.

## [1.0.0] – 2026-01-01

- The first.
`;

test("gives a version's section without its heading", () => {
  expect(notesOf(changelog, '1.1.0')).toBe('### Added\n\n- A thing.');
  expect(notesOf(changelog, '1.0.0')).toBe('- The first.');
});

test('refuses a version that the changelog does not have', () => {
  expect(() => notesOf(changelog, '2.0.0')).toThrow('CHANGELOG.md has no section [2.0.0]');
});
