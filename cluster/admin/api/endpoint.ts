import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { Terminal } from '#protocols/errors';
import { json } from '../answers.ts';
import { requireRole } from '../door/door.ts';
import type { AdminEnv } from '../door/env.ts';
import type { AdminRole } from '../door/tokens.ts';

export type Api = OpenAPIHono<AdminEnv>;

/** One request of the API: what it is for, what it takes, what it answers. */
export interface Endpoint<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  readonly method: 'get' | 'post';
  /** For example `/api/jobs/{job}`. */
  readonly path: string;
  readonly summary: string;
  readonly role: AdminRole;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer: z.ZodType;
  /** What it means that `handle` has set the status 202; absent where that never happens. */
  readonly later?: string;
  handle(
    input: { readonly params: z.output<P>; readonly query: z.output<Q>; readonly body: z.output<B> },
    c: Context<AdminEnv>,
  ): unknown;
}

/** The answer to every request that fails. */
const problem = z
  .object({ code: z.string(), message: z.string(), advice: z.string().optional() })
  .openapi('Problem', { description: 'protocols/ERRORS.md explains each code.' });

const NOTHING = z.object({});

const answers = new WeakMap<Api, Map<string, z.ZodType>>();

/** The form of the answer to each GET of an API, by path: what its description says. */
export function answersOf(api: Api): ReadonlyMap<string, z.ZodType> {
  return answers.get(api) ?? new Map();
}

/** An API without endpoints. */
export function createApi(): Api {
  return new OpenAPIHono<AdminEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const why = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      throw new Terminal({
        code: 'bad-request',
        message: `The request is not valid (${why}).`,
        advice: 'See /api/openapi.json.',
      });
    },
  });
}

/** Adds an endpoint to the API and to its description. */
export function serveEndpoint<
  P extends z.ZodObject = typeof NOTHING,
  Q extends z.ZodObject = typeof NOTHING,
  B extends z.ZodType = typeof NOTHING,
>(api: Api, endpoint: Endpoint<P, Q, B>): void {
  const { method, path, summary, role, params, query, body, answer, later } = endpoint;
  const route = createRoute({
    method,
    path,
    summary,
    middleware: [requireRole(role)] as const,
    request: {
      ...(params && { params }),
      ...(query && { query }),
      ...(body && { body: { required: true, content: { 'application/json': { schema: body } } } }),
    },
    responses: {
      200: { description: summary, content: { 'application/json': { schema: answer } } },
      ...(later !== undefined && {
        202: { description: later, content: { 'application/json': { schema: answer } } },
      }),
      default: { description: 'a failure', content: { 'application/json': { schema: problem } } },
    },
  });
  const handler = async (c: Context<AdminEnv>) => {
    const valid = (part: 'param' | 'query' | 'json') => c.req.valid(part as never) as unknown;
    const input = { params: valid('param'), query: valid('query'), body: valid('json') };
    return json(c, await endpoint.handle(input as Parameters<typeof endpoint.handle>[0], c));
  };
  api.openapi(route, handler as never);
  if (method === 'get') answers.set(api, new Map([...answersOf(api), [path, answer]]));
}
