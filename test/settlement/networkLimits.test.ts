import { Address, SorobanDataBuilder, StrKey, xdr } from '@stellar/stellar-sdk'
import t from 'tap'
import { ContractRefusal } from '../../src/settlement/contractRefusal.ts'
import { exceededLimit, networkLimits } from '../../src/settlement/networkLimits.ts'
import { openRpc } from '../../src/settlement/stellarRpc.ts'

const key = (n: number): xdr.LedgerKey =>
  xdr.LedgerKey.contractData(
    new xdr.LedgerKeyContractData({
      contract: new Address(StrKey.encodeContract(new Uint8Array(32))).toScAddress(),
      key: xdr.ScVal.scvU32(n),
      durability: xdr.ContractDataDurability.persistent,
    }),
  )
const data = (readOnly: number, readWrite: number, instructions: number, writeBytes: number): xdr.SorobanTransactionData =>
  new SorobanDataBuilder()
    .setResources(instructions, 0, writeBytes)
    .setFootprint(
      Array.from({ length: readOnly }, (_, n) => key(n)),
      Array.from({ length: readWrite }, (_, n) => key(n)),
    )
    .build()

t.test('each limit is one step away from being exceeded', async (t) => {
  const { instructions, footprintEntries, writeEntries, writeBytes, transactionBytes } = networkLimits
  t.equal(exceededLimit(data(footprintEntries - writeEntries, writeEntries, instructions, writeBytes), transactionBytes), null)
  t.equal(exceededLimit(data(0, 0, instructions + 1, 0), 0), 'instructions')
  t.equal(exceededLimit(data(footprintEntries - writeEntries + 1, writeEntries, 0, 0), 0), 'footprintEntries')
  t.equal(exceededLimit(data(0, writeEntries + 1, 0, 0), 0), 'writeEntries')
  t.equal(exceededLimit(data(0, 0, 0, writeBytes + 1), 0), 'writeBytes')
  t.equal(exceededLimit(data(0, 0, 0, 0), transactionBytes + 1), 'transactionBytes')
})

t.test('a refusal tells its number or its kind, and nothing that the call carried', async (t) => {
  const contract = new ContractRefusal('HostError: Error(Contract, #23)\n\nEvent log (newest first):\n 0: data:["amount", 12345]')
  t.match(contract, { message: 'contract error 23', number: 23, overLimit: false })
  t.match(new ContractRefusal('HostError: Error(Budget, ExceededLimit) 12345'), { message: 'host error (Budget, ExceededLimit)', number: null, overLimit: true })
  t.match(new ContractRefusal('12345'), { message: 'host error (unnamed)', overLimit: false })
})

t.test('plain HTTP is for this machine only', async (t) => {
  t.doesNotThrow(() => openRpc('http://127.0.0.1:8000'))
  t.doesNotThrow(() => openRpc('http://localhost:8000'))
  t.doesNotThrow(() => openRpc('https://rpc.example.org'))
  t.throws(() => openRpc('http://rpc.example.org'), /https/)
})
