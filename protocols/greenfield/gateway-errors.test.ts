import test from 'ava';
import { XMLParser } from 'fast-xml-parser';
import { Retryable, Terminal, toSealionError } from '../errors.ts';
import { errorXml, GATEWAY_ERRORS, gatewayAnswer } from './gateway-errors.ts';

test('a known code has its status and the message of the error', (t) => {
  const refusal = new Terminal({ code: 'busy', message: 'Too many uploads.', gatewayCode: 60003 });
  t.deepEqual(gatewayAnswer(refusal), { status: 406, code: 60003, message: 'Too many uploads.' });
  const silent = new Terminal({ code: 'gone', message: '', gatewayCode: 20008 });
  t.deepEqual(gatewayAnswer(silent), { status: 404, code: 20008, message: 'The object does not exist.' });
});

test('anything else is 500 and reveals nothing', (t) => {
  for (const error of [
    toSealionError(new Error('password=secret')),
    new Retryable({ code: 'x', message: 'inner', gatewayCode: 123 }),
  ]) {
    const answer = gatewayAnswer(error);
    t.is(answer.status, 500);
    t.is(answer.code, 999999);
    t.notRegex(answer.message, /secret|inner/);
  }
});

test('the statuses of the upload path are those on the wire', (t) => {
  const expected = {
    50004: 401,
    50023: 400,
    50036: 403,
    20011: 400,
    110004: 406,
    110006: 409,
    110008: 400,
    80003: 403,
    55002: 404,
    90003: 404,
  };
  for (const [code, status] of Object.entries(expected))
    t.is(GATEWAY_ERRORS[Number(code)]?.status, status, code);
  t.is(GATEWAY_ERRORS[110001]?.area, 'uploader');
});

test('the XML body is valid for any message', (t) => {
  const message = '<a href="x">&amp;\u0000\ud800 \u{1f600}\'\r\n\r';
  const xml = errorXml(50025, message);
  t.false(xml.includes('\r'), 'a parser reads it as a line feed');
  const options = { processEntities: true, htmlEntities: true, trimValues: false };
  const parsed = new XMLParser(options).parse(xml);
  t.is(parsed.Error.Code, 50025);
  t.is(parsed.Error.Message, '<a href="x">&amp;\ufffd\ufffd \u{1f600}\'\r\n\r');
});
