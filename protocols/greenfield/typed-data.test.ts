import test from 'ava';
import { Terminal } from '../errors.ts';
import { toHex } from './hex.ts';
import { encodeType, hashStruct, hashTypedData, type TypedData } from './typed-data.ts';
import { type SignDocument, typedTransaction } from './typed-transaction.ts';

const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';

/** The vector of protocols/greenfield/README.md#eip-712. */
const DOCUMENT: SignDocument = {
  chainId: 'greenfield_9000-1741',
  accountNumber: 7,
  sequence: 3,
  signer: ADDRESS,
  memo: '',
  timeoutHeight: 0,
  fee: {
    amount: [{ denom: 'BNB', amount: 6_000_000_000_000n }],
    gasLimit: 1200,
    payer: ADDRESS,
    granter: '',
  },
  messages: [
    {
      typeUrl: '/greenfield.storage.MsgSealObject',
      value: {
        operator: ADDRESS,
        bucketName: 'mybucket',
        objectName: 'a/b c.txt',
        globalVirtualGroupId: 5,
        secondarySpBlsAggSignatures:
          'b7cc13d6181b7abaf9cc21e4bcd41a07e30ea91c2bc48e879f76e5622fa6c3390b717411318dfc29c4c81295cdf6dacf06692332a51b246f7a944a6e568ea4ed54ef6c030ab0897ef8aef06f2eb511580ef529b8390c18492745280ac0fad2ba',
      },
    },
  ],
};
const SEAL: TypedData = typedTransaction(DOCUMENT, 'altai');

test('types, parts and digest are those of the vector', (t) => {
  t.is(
    encodeType(SEAL.types, 'Tx'),
    'Tx(uint256 account_number,uint256 chain_id,Fee fee,string memo,Msg1 msg1,uint256 sequence,uint256 timeout_height)Coin(uint256 amount,string denom)Fee(Coin[] amount,uint256 gas_limit,string granter,string payer)Msg1(string bucket_name,uint32 global_virtual_group_id,string object_name,string operator,bytes secondary_sp_bls_agg_signatures,string type)',
  );
  t.is(
    toHex(hashStruct(SEAL.types, 'EIP712Domain', SEAL.domain)),
    '557868a170c6bff98bda127884f4deaba8b3be488ccfdacb114c64a8f804bfce',
  );
  t.is(
    toHex(hashStruct(SEAL.types, 'Tx', SEAL.message)),
    '8f98f06c20456641bb92b4d78c086e07d60cf5fdbcb2709fba5174185e49a495',
  );
  t.is(toHex(hashTypedData(SEAL)), 'cccc6ec56251a6403831c307b116b84c607bbfe4d27c96e7303c5623dfed3e2d');
});

test('the domain that nodes also accept before upgrade Altai gives the other digest of the vector', (t) => {
  t.is(
    toHex(hashTypedData(typedTransaction(DOCUMENT, 'everywhere'))),
    'eccc51335aed2eb3990e2fd60dbb4f8df1c2f858a8b069ae753f1f0f4014a55d',
  );
});

test('a document that does not match its types is refused', (t) => {
  const refused = (value: TypedData): void => {
    t.is(t.throws(() => hashTypedData(value), { instanceOf: Terminal })?.code, 'bad-typed-data');
  };
  refused({ ...SEAL, primaryType: 'Nothing' });
  refused({ ...SEAL, message: {} });
  refused({ ...SEAL, message: { ...SEAL.message, memo: 1 } });
  refused({ ...SEAL, message: { ...SEAL.message, fee: 'free' } });
  refused({ ...SEAL, message: { ...SEAL.message, sequence: -1 } });
  refused({ ...SEAL, message: { ...SEAL.message, sequence: 2n ** 256n } });
  refused({ ...SEAL, types: { ...SEAL.types, Fee: [{ name: 'payer', type: 'address' }] } });
});
