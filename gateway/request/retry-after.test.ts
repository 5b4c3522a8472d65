import test from 'ava';
import { Hono } from 'hono';
import { Cancelled, Retryable, type SealionError, Terminal } from '#protocols/errors';
import { GATEWAY_ERRORS } from '#protocols/greenfield/gateway-errors';
import type { GatewayEnv } from './context.ts';
import { answerTo, errorResponse, INNER_CODES } from './errors.ts';
import { PASSING, retryAfterSeconds } from './retry-after.ts';

/** The headers of what a client gets for an error. */
async function refusal(error: SealionError): Promise<Response> {
  const app = new Hono<GatewayEnv>();
  app.get('/', (c) => {
    c.set('record', { id: '1', bytes: 0 });
    throw error;
  });
  app.onError(errorResponse);
  return app.request('/');
}

const facts = { code: 'x', message: 'No.' };

test('Retry-After is sent with exactly the gateway codes of temporary errors, whatever threw them', async (t) => {
  for (const gatewayCode of Object.keys(GATEWAY_ERRORS).map(Number)) {
    for (const error of [new Terminal({ ...facts, gatewayCode }), new Cancelled({ ...facts, gatewayCode })]) {
      const retryAfter = (await refusal(error)).headers.get('Retry-After');
      t.is(retryAfter, PASSING.has(gatewayCode) ? '5' : null, String(gatewayCode));
    }
  }
  for (const code of PASSING) t.truthy(GATEWAY_ERRORS[code], `${code} is not a gateway code`);
});

test('an error that the client must fix has no Retry-After', (t) => {
  const codes = [
    20002, 20003, 20008, 20011, 20012, 20015, 50001, 50003, 50004, 50009, 50010, 50016, 50023, 50026, 50027,
    50028, 110002, 110004, 110005, 110006, 110008,
  ];
  for (const code of codes) t.false(PASSING.has(code), String(code));
});

test('errors without a gateway code are the temporary ones', (t) => {
  for (const code of Object.keys(INNER_CODES)) {
    for (const error of [new Terminal({ ...facts, code }), new Retryable({ ...facts, code })]) {
      if (NOT_CURED.has(code) && error instanceof Terminal) continue;
      t.truthy(retryAfterSeconds(error, answerTo(error).code), code);
    }
  }
});

/** Of the signer's refusals, those that are final say so by being Terminal. */
const NOT_CURED: ReadonlySet<string> = new Set([
  'signing-account-unknown',
  'role-lost',
  'bad-answer',
  'nobody-answers',
  'answerer-silent',
  'call-timeout',
]);

test('an error can set Retry-After, in whole seconds, at least one', async (t) => {
  const after = async (retryAfterMs?: number) => {
    const error = new Retryable({ ...facts, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    return (await refusal(error)).headers.get('Retry-After');
  };
  t.is(await after(), '5');
  t.is(await after(0), '1');
  t.is(await after(1), '1');
  t.is(await after(1_001), '2');
  t.is(await after(90_000), '90');
});

test('an object that is being rejected can be uploaded again after the reject', async (t) => {
  const gatewayCode = 110002;
  const error = new Terminal({ ...facts, code: 'being-rejected', gatewayCode });
  t.is((await refusal(error)).headers.get('Retry-After'), '60');
  t.is((await refusal(new Terminal({ ...facts, gatewayCode }))).headers.get('Retry-After'), null);
});
