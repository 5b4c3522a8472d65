/** What a Go SP answered to get-approval, decoded from X-Gnfd-Signed-Msg, and the account of its approval key. */
export const GO_APPROVALS = {
  signer: '0xB62993cc5eD01d89b50766370792c071d2D1c02c',
  bucket:
    '{"bucket_name":"vector-bucket","charged_read_quota":"0","creator":"0x8Faf88A7E269B4e937Cfbb6241bF7c76a1e5705D","payment_address":"","primary_sp_address":"0xda44cF474E7D9fdD2A856A23F22eC38BA16055d7","primary_sp_approval":{"expired_height":"2535","global_virtual_group_family_id":8,"sig":"cJccFaqBP4eQxYM3/3MqjZ5jfB0MTwaxkp2HqhMiijo5gS8a4BNT0R3fZtvenvEr1noSw1sDdkNqMJijqJvLiQA="},"visibility":"VISIBILITY_TYPE_PRIVATE"}',
  object:
    '{"bucket_name":"gosdk-sp8","content_type":"text/plain","creator":"0x8Faf88A7E269B4e937Cfbb6241bF7c76a1e5705D","expect_checksums":["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],"object_name":"vector","payload_size":"3","primary_sp_approval":{"expired_height":"2535","global_virtual_group_family_id":0,"sig":"VQi5jqfiqocfQxnwNno5ZOrjy6grTUQOAFX3U5NLZcBCPf8CwHSnfG093xJOCr8vkKsymaplbNX37mTMIu7wzAA="},"redundancy_type":"REDUNDANCY_EC_TYPE","visibility":"VISIBILITY_TYPE_PRIVATE"}',
} as const;
