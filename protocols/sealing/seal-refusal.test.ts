import test from 'ava';
import { ChainError } from '../greenfield/chain-errors.ts';
import { type ChainRefusal, refusalOfSimulation } from '../greenfield/simulation.ts';
import { type Fault, faultOf } from './seal-refusal.ts';

const OWNER = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
const AT = 'failed to execute message; message index: 0: ';
const FROZEN = `stream record ${OWNER} is frozen`;

const storage = (code: number, log: string): ChainRefusal => ({ codespace: 'storage', code, log: AT + log });
/** 1123 around what went wrong when the object was bound to its group. */
const wrapped = (text: string) => storage(1123, `err message: ${text}: invalid global virtual group`);
/** An error that the chain has given no number. */
const plain = (text: string): ChainRefusal => ({ codespace: 'undefined', code: 1, log: AT + text });
const ante = ({ codespace, code, text }: ChainError, detail: string): ChainRefusal => ({
  codespace,
  code,
  log: `${detail}: ${text}`,
});

/** As a real node writes them, by whose fault it is. */
const CASES: readonly (readonly [Fault, ChainRefusal])[] = [
  ['group', storage(1123, 'secondary sp num mismatch, expect (6), but (5): invalid global virtual group')],
  [
    'group',
    storage(
      1123,
      'Global virtual group mismatch, familyID: 2, bucket family ID: 1: invalid global virtual group',
    ),
  ],
  ['group', storage(1123, 'invalid global virtual group')],
  ['group', wrapped('gvg state: id:1 family_id:1 total_deposit:"0" : insufficient staking for gvg')],
  ['group', wrapped('global virtual group not exist.')],
  [
    'group',
    wrapped(
      'The local virtual groups binding on bucket are exceed limitation. Num: 11, Allows: 10: operate virtual group failed.',
    ),
  ],
  ['group', { codespace: 'virtualgroup', code: 1102, log: `${AT}global virtual group not exist.` }],
  ['group', { codespace: 'greenfield', code: 1013, log: `${AT}bls signature is invalid` }],
  ['group', storage(3204, 'BLS public key converts failed: x: invalid bls public key')],
  [
    'payment',
    wrapped(`unlock store fee failed: bucket object update stream record failed: bucket object ${FROZEN}`),
  ],
  [
    'payment',
    wrapped(`apply object store bill failed: bucket object apply user flows list failed: ${FROZEN}`),
  ],
  [
    'payment',
    wrapped(`apply user flows list failed: stream account ${OWNER} balance not enough, lack of 7 BNB`),
  ],
  ['payment', wrapped('apply object store bill failed: b o bucket is rate limited: b')],
  ['payment', storage(1117, 'charge failed error')],
  ['payment', plain(`update stream record failed: bucket object ${FROZEN}`)],
  ['payment', plain(`apply object store bill failed: b o apply user flows list failed: b: ${FROZEN}`)],
  ['payment', { codespace: 'payment', code: 1206, log: `${AT}insufficient balance` }],
  ['sequence', ante(ChainError.WRONG_SEQUENCE, 'account sequence mismatch, expected 4, got 3')],
  [
    'gas',
    ante(ChainError.OUT_OF_GAS, 'out of gas in location: gas cost by msg type; gasWanted: 120, gasUsed: 240'),
  ],
  ['gas', ante(ChainError.INSUFFICIENT_FEE, 'insufficient fees; got: 600BNB required: 6000BNB')],
  ['fee-balance', ante(ChainError.INSUFFICIENT_FUNDS, 'spendable balance 0BNB is smaller than 600BNB')],
  ['fee-balance', ante(ChainError.UNKNOWN_ADDRESS, `fee payer address: ${OWNER} does not exist`)],
  ['unknown', storage(1107, "Only SP's seal address is allowed to SealObject: Access denied")],
  ['unknown', wrapped('get charge size failed: bucket object 7 no such params')],
  ['unknown', { codespace: 'sp', code: 2, log: `${AT}StorageProvider is not in service` }],
  // Whoever names an object decides nothing.
  ['payment', wrapped(`unlock store fee failed: b insufficient staking for gvg ${FROZEN}`)],
  ['unknown', wrapped(`get charge size failed: bucket ${FROZEN} no such params`)],
  ['unknown', wrapped('get charge size failed: bucket insufficient staking for gvg no such params')],
];

for (const [index, [fault, refusal]] of CASES.entries()) {
  test(`${index}: "${refusal.log.replace(AT, '').slice(0, 60)}…" is a refusal of kind ${fault}`, (t) => {
    t.is(faultOf(refusal), fault);
  });

  test(`${index}: the same text from a simulation is recognised`, (t) => {
    const query = `rpc error: code = Unknown desc = ${refusal.log} With gas wanted: '0' and gas used: '120' : unknown request`;
    const found = refusalOfSimulation(query);
    t.is(found?.log, refusal.log);
    t.is(found && faultOf(found), fault);
  });
}
