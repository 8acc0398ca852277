import { Operation, xdr } from '@stellar/stellar-sdk'

/**
 * The same call with the source account's authority over it, and over nothing beneath it. Left out, a simulation fills it in: the RPC endpoint would choose
 * what an administrator signs, and a token contract that is asked for a balance could use more than was meant.
 */
export function ownAuthority(operation: xdr.Operation): xdr.Operation {
  if (operation.body.type !== 'invokeHostFunction') throw new Error('only a call of a contract carries an authority')
  const func = operation.body.value.hostFunction
  return Operation.invokeHostFunction({ func, auth: [new xdr.SorobanAuthorizationEntry({ credentials: xdr.SorobanCredentials.sorobanCredentialsSourceAccount(), rootInvocation: new xdr.SorobanAuthorizedInvocation({ function: authorized(func), subInvocations: [] }) })] })
}

function authorized(func: xdr.HostFunction): xdr.SorobanAuthorizedFunction {
  switch (func.type) {
    case 'hostFunctionTypeInvokeContract':
      return xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(func.value)
    case 'hostFunctionTypeCreateContractV2':
      return xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeCreateContractV2HostFn(func.value)
    default:
      throw new Error(`${func.type} needs nobody's authority`)
  }
}
