import test from 'ava';
import { Hono } from 'hono';
import { toSealionError } from '#protocols/errors';
import { type GatewayAnswer, gatewayAnswer } from '#protocols/greenfield/gateway-errors';
import type { GatewayContext, GatewayEnv } from '../request/context.ts';
import { checkPutLength, declaredLength, readBytes } from './lengths.ts';

/** The result of a check of a request with this Content-Length, or without one. */
async function of<T>(contentLength: string | undefined, check: (c: GatewayContext) => T): Promise<T> {
  let result: T | undefined;
  const app = new Hono<GatewayEnv>().all('*', (c) => {
    result = check(c);
    return c.body(null);
  });
  await app.request('/', {
    headers: contentLength === undefined ? {} : { 'Content-Length': contentLength },
  });
  return result as T;
}

test('a number of bytes is decimal digits, at most 15 of them', (t) => {
  t.is(readBytes('0'), 0);
  t.is(readBytes('999999999999999'), 999_999_999_999_999);
  for (const text of [null, undefined, '', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1000000000000000']) {
    t.is(readBytes(text), undefined, `${text}`);
  }
});

test('a missing Content-Length is not the same as one beyond any payload', async (t) => {
  t.is(await of(undefined, declaredLength), undefined);
  t.is(await of('ten', declaredLength), undefined);
  t.is(await of('10', declaredLength), 10);
  t.is(await of('1000000000000000', declaredLength), Number.POSITIVE_INFINITY);
});

test('a PUT must keep to the limit, and its Content-Length must be that of the payload', async (t) => {
  const put = (contentLength: string | undefined, payloadSize: number) =>
    of(contentLength, (c): Pick<GatewayAnswer, 'status' | 'code'> | undefined => {
      try {
        checkPutLength(c, payloadSize, 10);
        return undefined;
      } catch (error) {
        const { status, code } = gatewayAnswer(toSealionError(error));
        return { status, code };
      }
    });
  t.is(await put(undefined, 10), undefined);
  t.is(await put('10', 10), undefined);
  t.deepEqual(await put('11', 11), { status: 403, code: 50016 });
  for (const length of ['9', '11', 'ten', '1000000000000000']) {
    t.deepEqual(await put(length, 10), { status: 400, code: 110008 }, length);
  }
});
