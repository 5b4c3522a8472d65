import { Terminal } from '../errors.ts';
import { checksumAddress } from './address.ts';
import { type Fields, typedFields } from './fields.ts';
import { MESSAGE_TYPES, type Message } from './messages.ts';
import type { TypedData, TypedMember, TypedStructs, TypedValue } from './typed-data.ts';

export interface Coin {
  readonly denom: string;
  readonly amount: bigint;
}

export interface Fee {
  readonly amount: readonly Coin[];
  readonly gasLimit: number;
  /** The account that pays; empty means the signer. */
  readonly payer: string;
  readonly granter: string;
}

/** What an account signs of a transaction. */
export interface SignDocument {
  /** For example `greenfield_9000-1741`. */
  readonly chainId: string;
  readonly accountNumber: number;
  readonly sequence: number;
  readonly signer: string;
  readonly messages: readonly Message[];
  readonly fee: Fee;
  readonly memo: string;
  /** Height after which the chain refuses the transaction; 0 means never. */
  readonly timeoutHeight: number;
}

/** The number of a chain id that EIP-712 knows: 9000 of `greenfield_9000-1741`. @throws Terminal `bad-chain-id` */
export function eip712ChainId(chainId: string): bigint {
  const number = /^[a-z]+_([1-9][0-9]*)-[1-9][0-9]*$/.exec(chainId)?.[1];
  if (number !== undefined && chainId.length <= 48) return BigInt(number);
  throw new Terminal({
    code: 'bad-chain-id',
    message: `"${chainId}" is not a Greenfield chain id.`,
    advice: 'Write it as greenfield_<number>-<revision>.',
  });
}

/**
 * The two domains under which transactions are signed, by their `verifyingContract`. A node tries `everywhere` first,
 * before its upgrade Altai and after it, and `altai` only after it (greenfield-cosmos-sdk, x/auth/signing/verify.go,
 * verifyEip712SignatureWithFallback). Executed transactions agree: those of Go SPs on a chain that has passed Altai
 * were signed under the first, those of JS clients under the second (chain-transactions.fixture.ts).
 */
export const DOMAINS = {
  everywhere: 'greenfield',
  altai: '0x71e835aff094655dEF897fbc85534186DbeaB75d',
} as const;

export type Domain = keyof typeof DOMAINS;

/** The EIP-712 document of a transaction, as the chain and the SDKs make it (protocols/greenfield/README.md#eip-712). */
export function typedTransaction(document: SignDocument, domain: Domain): TypedData {
  const chainId = eip712ChainId(document.chainId);
  const { fee } = document;
  const messages = document.messages.map((message, i) => typedMessage(message, i + 1));
  const tx: TypedMember[] = [
    ...TX_MEMBERS,
    ...messages.map((_, i) => ({ name: `msg${i + 1}`, type: `Msg${i + 1}` })),
  ];
  const types: Record<string, readonly TypedMember[]> = { ...BASE_TYPES, Tx: tx };
  for (const { structs } of messages) Object.assign(types, structs);
  return {
    types: Object.fromEntries(Object.entries(types).map(([name, members]) => [name, byName(members)])),
    primaryType: 'Tx',
    domain: {
      name: 'Greenfield Tx',
      version: '1.0.0',
      chainId,
      verifyingContract: DOMAINS[domain],
      salt: '0',
    },
    message: {
      account_number: document.accountNumber,
      chain_id: chainId,
      fee: {
        amount: fee.amount.map(({ denom, amount }) => ({ denom, amount })),
        gas_limit: fee.gasLimit,
        // the chain writes the payer out even when the transaction leaves it empty
        payer: checksumAddress(fee.payer || document.signer),
        granter: fee.granter && checksumAddress(fee.granter),
      },
      memo: document.memo,
      sequence: document.sequence,
      timeout_height: document.timeoutHeight,
      ...Object.fromEntries(messages.map(({ values }, i) => [`msg${i + 1}`, values])),
    },
  };
}

function typedMessage(
  message: Message,
  position: number,
): { structs: TypedStructs; values: Record<string, TypedValue> } {
  const fields: Fields = MESSAGE_TYPES[message.typeUrl].fields;
  const { members, values, structs } = typedFields(fields, message.value, `TypeMsg${position}`);
  return {
    structs: { ...structs, [`Msg${position}`]: [...members, { name: 'type', type: 'string' }] },
    values: { ...values, type: message.typeUrl },
  };
}

function byName(members: readonly TypedMember[]): readonly TypedMember[] {
  return members.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const TX_MEMBERS: readonly TypedMember[] = [
  { name: 'account_number', type: 'uint256' },
  { name: 'chain_id', type: 'uint256' },
  { name: 'fee', type: 'Fee' },
  { name: 'memo', type: 'string' },
  { name: 'sequence', type: 'uint256' },
  { name: 'timeout_height', type: 'uint256' },
];

const BASE_TYPES: TypedStructs = {
  // contract and salt are texts here, not the address and bytes32 of EIP-712
  EIP712Domain: [
    { name: 'chainId', type: 'uint256' },
    { name: 'name', type: 'string' },
    { name: 'salt', type: 'string' },
    { name: 'verifyingContract', type: 'string' },
    { name: 'version', type: 'string' },
  ],
  Fee: [
    { name: 'amount', type: 'Coin[]' },
    { name: 'gas_limit', type: 'uint256' },
    { name: 'granter', type: 'string' },
    { name: 'payer', type: 'string' },
  ],
  Coin: [
    { name: 'amount', type: 'uint256' },
    { name: 'denom', type: 'string' },
  ],
};
