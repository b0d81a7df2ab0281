import { expect, it } from 'vitest';
import { check } from '../support/conformance.js';
import { python } from '../support/json-lines.js';

it('the conformance kit finds nothing wrong with the client in Python, asked everything', async () => {
  const { failed, notAsked, rules } = await check(`${python} examples/python-client/conformance_driver.py`);
  expect({ failed, notAsked }).toEqual({ failed: [], notAsked: [] });
  expect(rules.length).toBeGreaterThan(100);
});

it('the conformance kit finds nothing wrong with the Python package, asked everything', async () => {
  const { failed, notAsked, rules } = await check(`${python} packages/conformance/drivers/python.py`);
  expect({ failed, notAsked }).toEqual({ failed: [], notAsked: [] });
  expect(rules.length).toBeGreaterThan(100);
});
