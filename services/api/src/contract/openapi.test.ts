import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { openApi } from './openapi.js';
import { operations } from './operations.js';

it('docs/openapi.json is what the schemas say; npx vitest run --project unit -u openapi.test writes it anew', async () => {
  const text = `${JSON.stringify(openApi(operations), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('../../../../docs/openapi.json');
});

describe('a parser of others', () => {
  const document = () => JSON.parse(JSON.stringify(openApi(operations)));

  it('takes the document for OpenAPI 3.1, with every reference in it', async () => {
    const validator = new Validator();
    expect(await validator.validate(document())).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect(JSON.stringify(validator.resolveRefs())).not.toContain('"$ref":"#');
  });

  it('finds what is wrong with it', async () => {
    const { paths, ...rest } = document();
    delete paths['/v1/users/{id}'].get.responses;
    paths['/v1/users/{id}'].get.parameters[0].in = 'nowhere';
    expect(await new Validator().validate({ ...rest, paths })).toMatchObject({ valid: false });
  });
});

it('every operation names its path parameters, its answer and what it may be refused with', () => {
  const { paths } = openApi(operations) as {
    paths: Record<string, Record<string, { responses: object; parameters?: { name: string; in: string }[] }>>;
  };
  for (const { id, path, method, status } of operations) {
    const { responses, parameters = [] } = paths[path]?.[method.toLowerCase()] ?? { responses: {} };
    const named = parameters.filter((each) => each.in === 'path').map(({ name }) => `{${name}}`);
    expect({ id, named }).toEqual({ id, named: path.match(/\{\w+\}/g) ?? [] });
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining([String(status), '400', '401', '403', '429', '500', '503']),
    );
  }
});
