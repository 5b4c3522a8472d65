import test from 'ava';
import { fromHex, toHex } from './hex.ts';
import { SDK_TRANSACTIONS } from './sdk-transactions.fixture.ts';
import { expectedSequence, parseGasPrice, refusalOfSimulation, simulationOf } from './simulation.ts';
import { decodeTransaction } from './transaction.ts';

const SIGNED = fromHex(SDK_TRANSACTIONS.createObject);

test('a transaction is simulated without its signature and with the requested sequence', (t) => {
  const signed = decodeTransaction(SIGNED);
  const simulation = decodeTransaction(simulationOf(SIGNED, 9));
  const [signer] = signed.signers;
  t.deepEqual(simulation.signatures, [new Uint8Array()]);
  t.deepEqual(simulation.signers, [{ ...signer, sequence: 9 } as (typeof signed.signers)[0]]);
  t.deepEqual(
    { ...simulation, signatures: [], signers: [] },
    { ...signed, signatures: [], signers: [] },
    'all the rest stays',
  );
  t.is(toHex(simulationOf(SIGNED, 3)), toHex(simulationOf(simulationOf(SIGNED, 9), 3)));
});

test('the code is read from the text of a refused simulation', (t) => {
  const log =
    "rpc error: code = Unknown desc = account sequence mismatch, expected 4, got 3: incorrect account sequence With gas wanted: '0' and gas used: '120' : unknown request";
  const refusal = refusalOfSimulation(log);
  t.deepEqual(refusal, {
    codespace: 'sdk',
    code: 32,
    log: 'account sequence mismatch, expected 4, got 3: incorrect account sequence',
  });
  t.is(refusal && expectedSequence(refusal), 4);
  t.is(expectedSequence({ codespace: 'sdk', code: 5, log: 'expected 4, got 3' }), undefined);
});

test('a failure of the query itself is not a refusal of the transaction', (t) => {
  for (const log of [
    'unknown query path: unknown request',
    'unexpected EOF: invalid request',
    "rpc error: code = Unknown desc = recovered: nil pointer\nstack:\nx: panic With gas wanted: '0' and gas used: '0' : unknown request",
    'panic message redacted to hide potentially sensitive system info: panic',
  ]) {
    t.is(refusalOfSimulation(log), undefined);
  }
});

test('a price is read in the form in which nodes write it', (t) => {
  t.is(parseGasPrice('5000000000BNB'), 5_000_000_000n);
  t.is(parseGasPrice('5000000000.000000000000000000BNB'), 5_000_000_000n);
  for (const text of ['', 'BNB', '5', '5ETH', '-1BNB']) t.is(parseGasPrice(text), undefined);
});
