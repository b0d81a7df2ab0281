import { z } from 'zod';
import type { Operation } from './operations.js';
import { problems, problemTypes } from './problems.js';
import { problem } from './schemas.js';

type Json = Readonly<Record<string, unknown>>;

/** Codes by which an operation may be refused, whichever it is. */
const refusals = {
  '400': ['bad-url', 'bad-request', 'bad-name', 'bad-json', 'bad-idempotency-key'],
  '401': ['no-key', 'bad-key'],
  '403': ['forbidden'],
  '404': ['no-history', 'no-presence', 'no-session'],
  '410': ['history-lost'],
  '413': ['too-large'],
  '415': ['bad-type'],
  '422': ['idempotency-conflict'],
  '429': ['rate-limited', 'too-many-open'],
  '500': ['internal'],
  '503': ['unavailable', 'unconfirmed'],
  '504': ['no-answer'],
} as const satisfies Readonly<Record<string, readonly (keyof typeof problems)[]>>;

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A repeat with the same key and body gets the answer of the first, and nothing is done again.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
} as const;

/** Statuses that only what has a body is refused with. */
const ofBodies: ReadonlySet<string> = new Set(['413', '415', '422']);

/** Statuses of some operations alone. */
const ofSome: Readonly<Record<string, readonly string[]>> = {
  topicHistory: ['404', '410'],
  topicPresence: ['404'],
};

/** The OpenAPI 3.1 document of these operations. */
export function openApi(operations: readonly Operation[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: entryOf(operation),
    };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Evenkeel HTTP API',
      version: '1',
      summary: 'Publish events into an Evenkeel mesh, and look at its topics and users, over HTTP.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This service.' }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key of EVENKEEL_API_KEYS; npx evenkeel api-key makes one.',
        },
      },
      schemas: { Problem: schemaOf(problem, 'output') },
      responses: Object.fromEntries(
        Object.entries(refusals).map(([status, codes]) => [`Problem${status}`, problemAnswer(status, codes)]),
      ),
    },
  };
}

function entryOf(operation: Operation): Json {
  const { id, scope, summary, description, status, params, query, body, answer, examples } = operation;
  const parameters = [
    ...parametersOf(params, 'path'),
    ...parametersOf(query, 'query'),
    ...(body ? [idempotencyKey] : []),
  ];
  const refused = Object.keys(refusals).filter((each) =>
    each === '404' || each === '410' ? ofSome[id]?.includes(each) : body !== undefined || !ofBodies.has(each),
  );
  return {
    operationId: id,
    summary,
    description: `${description} Takes the scope \`${scope}\`.`,
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: operation.isBodyOptional !== true,
        content: {
          'application/json': {
            schema: schemaOf(body, 'input'),
            ...(examples && { examples: valuesOf(examples) }),
          },
        },
      },
    }),
    responses: {
      [status]: {
        description: status === 202 ? 'Confirmed by RabbitMQ.' : 'The answer.',
        content: { 'application/json': { schema: schemaOf(answer, 'output') } },
      },
      ...Object.fromEntries(refused.map((each) => [each, { $ref: `#/components/responses/Problem${each}` }])),
    },
  };
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {} } = schemaOf(schema, 'input') as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path',
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function problemAnswer(status: string, codes: readonly (keyof typeof problems)[]): Json {
  const [first] = codes;
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].toLowerCase()}`).join('; '),
    ...(status === '429' || status === '503'
      ? { headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } } }
      : {}),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        example: {
          type: `${problemTypes}${first}`,
          title: first && problems[first],
          status: Number(status),
          detail: '…',
          code: first,
        },
      },
    },
  };
}

const valuesOf = (examples: Readonly<Record<string, unknown>>): Json =>
  Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
