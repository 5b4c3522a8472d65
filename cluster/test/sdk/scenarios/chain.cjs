const { Long } = require('@bnb-chain/greenfield-js-sdk');

/** What applications ask of the chain before they upload. */
exports['the chain answers queries'] = async ({ client, address, sp }) => {
  const providers = await client.sp.getStorageProviders();
  const { storageProvider } = await client.sp.getStorageProviderByOperatorAddress({
    operatorAddress: sp.operatorAddress,
  });
  const { params } = await client.storage.params();
  const { msgGasParams } = await client.gashub.getMsgGasParams({
    msgTypeUrls: ['/greenfield.storage.MsgCreateObject'],
  });
  const { balance } = await client.account.getAccountBalance({ address, denom: 'BNB' });
  const price = await client.sp.getQueryGlobalSpStorePriceByTime({ timestamp: Long.fromInt(0) });
  const lockFee = await client.storage.queryLockFee({
    primarySpAddress: sp.operatorAddress,
    createAt: Long.fromInt(0),
    payloadSize: Long.fromInt(1),
  });
  return {
    providers: providers.map(({ id, operatorAddress, endpoint, status }) => ({
      id,
      operatorAddress,
      endpoint,
      status,
    })),
    found: storageProvider.id,
    endpoint: await client.sp.getSPUrlById(sp.id),
    segmentSize: params.versionedParams.maxSegmentSize.toNumber(),
    gas: msgGasParams[0].fixedType.fixedGas.toNumber(),
    maxTxSize: (await client.gashub.getParams()).params.maxTxSize.toNumber(),
    balance,
    storePrice: price.globalSpStorePrice.primaryStorePrice,
    lockFee: lockFee.amount,
    network: (await client.basic.getNodeInfo()).defaultNodeInfo.network,
    height: await client.basic.getLatestBlockHeight(),
  };
};
