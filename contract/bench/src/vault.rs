//! The contract on a ledger, with two classic assets.

use ed25519_dalek::SigningKey;
use soroban_env_host::xdr::{
    AccountEntry, AccountId, AlphaNum4, Asset, AssetCode4, ContractExecutable, ContractId,
    ContractIdPreimage, ContractIdPreimageFromAddress, CreateContractArgs, CreateContractArgsV2,
    Hash, HostFunction, InvokeContractArgs, LedgerEntryData, LedgerKey, LedgerKeyAccount,
    LedgerKeyTrustLine, PublicKey, ScAddress, ScVal, SequenceNumber, Thresholds, TrustLineAsset,
    TrustLineEntry, TrustLineEntryExt, TrustLineFlags, Uint256,
};

use crate::Outcome;
use crate::chain::Chain;
use crate::transaction::{Executed, execute};
use crate::xdr::{
    account, account_address, bytes, contract_address, contract_data, ledger_entry, list, map,
    symbol_name, vec,
};

const ADMIN: u32 = u32::MAX;
const ISSUER: u32 = u32::MAX - 1;
/// What everybody has in their purse and, where accounts are set up without deposits, in the vault.
pub const WEALTH: i128 = 1_000_000_000_000_000;
const SLOT_BYTES: usize = 64;

pub struct Vault {
    pub chain: Chain,
    pub contract: Hash,
    pub tokens: [Hash; 2],
    pub engine_key: SigningKey,
    pub engine: AccountId,
}

impl Vault {
    pub fn deploy(wasm: &[u8]) -> Outcome<Self> {
        let mut chain = Chain::new()?;
        let admin = account(ADMIN);
        let engine_key = SigningKey::from_bytes(&[7; 32]);
        let engine = AccountId(PublicKey::PublicKeyTypeEd25519(Uint256(
            engine_key.verifying_key().to_bytes(),
        )));
        put_account(&mut chain, &engine)?;
        put_account(&mut chain, &account(ISSUER))?;

        let code = wasm
            .to_vec()
            .try_into()
            .map_err(|_| "the contract is too long")?;
        let upload = HostFunction::UploadContractWasm(code);
        let ScVal::Bytes(hash) = execute(&chain, &admin, upload, None)?.apply(&mut chain)? else {
            return Err("an upload gave no hash".to_owned());
        };
        let hash = <[u8; 32]>::try_from(hash.as_slice()).map_err(|error| error.to_string())?;
        let create = HostFunction::CreateContractV2(CreateContractArgsV2 {
            contract_id_preimage: ContractIdPreimage::Address(ContractIdPreimageFromAddress {
                address: ScAddress::Account(admin.clone()),
                salt: Uint256([0; 32]),
            }),
            executable: ContractExecutable::Wasm(Hash(hash)),
            constructor_args: list(vec![account_address(&admin)])?,
        });
        let contract = created(execute(&chain, &admin, create, None)?.apply(&mut chain)?)?;

        let mut tokens = Vec::new();
        for code in [*b"BASE", *b"QUOT"] {
            let create = HostFunction::CreateContract(CreateContractArgs {
                contract_id_preimage: ContractIdPreimage::Asset(Asset::CreditAlphanum4(asset(
                    code,
                ))),
                executable: ContractExecutable::StellarAsset,
            });
            tokens.push(created(
                execute(&chain, &admin, create, None)?.apply(&mut chain)?,
            )?);
        }
        let tokens = <[Hash; 2]>::try_from(tokens).map_err(|_| "two tokens are two tokens")?;
        let mut vault = Self {
            chain,
            contract,
            tokens,
            engine_key,
            engine,
        };
        let engine = account_address(&vault.engine);
        vault
            .call(&admin, "set_matching_engine", vec![engine], false)?
            .apply(&mut vault.chain)?;
        for token in vault.tokens.clone() {
            vault
                .call(&admin, "add_asset", vec![contract_address(&token)], false)?
                .apply(&mut vault.chain)?;
        }
        Ok(vault)
    }

    /// Executes a call of the vault, which does not change the ledger until it is applied.
    pub fn call(
        &self,
        source: &AccountId,
        function: &str,
        arguments: Vec<ScVal>,
        engine_signs: bool,
    ) -> Outcome<Executed> {
        let invoke = HostFunction::InvokeContract(InvokeContractArgs {
            contract_address: ScAddress::Contract(ContractId(self.contract.clone())),
            function_name: symbol_name(function)?,
            args: list(arguments)?,
        });
        execute(
            &self.chain,
            source,
            invoke,
            engine_signs.then_some(&self.engine_key),
        )
        .map_err(|error| format!("{function}: {error}"))
    }

    pub fn settle_batch(&self, sequence: u64, deltas: &[u8], trades: u32) -> Outcome<Executed> {
        let batch = map(vec![
            ("channel", ScVal::U32(0)),
            ("deltas", bytes(deltas)?),
            ("epoch", ScVal::U64(1)),
            ("sequence", ScVal::U64(sequence)),
            ("state_root", bytes(&[0xaa; 32])?),
            ("trade_count", ScVal::U32(trades)),
            ("trades_root", bytes(&[0xbb; 32])?),
        ])?;
        self.call(&self.engine, "settle_batch", vec![batch], false)
    }

    /// A user of the network with both assets in the purse.
    pub fn put_user(&mut self, seed: u32) -> Outcome<AccountId> {
        let user = account(seed);
        put_account(&mut self.chain, &user)?;
        for code in [*b"BASE", *b"QUOT"] {
            let line = TrustLineEntry {
                account_id: user.clone(),
                asset: TrustLineAsset::CreditAlphanum4(asset(code)),
                balance: i64::try_from(WEALTH).map_err(|error| error.to_string())?,
                limit: i64::MAX,
                flags: TrustLineFlags::AuthorizedFlag as u32,
                ext: TrustLineEntryExt::V0,
            };
            let key = LedgerKey::Trustline(LedgerKeyTrustLine {
                account_id: line.account_id.clone(),
                asset: line.asset.clone(),
            });
            let entry = ledger_entry(LedgerEntryData::Trustline(line));
            self.chain.put(key, entry, None)?;
        }
        Ok(user)
    }

    /// Writes pages as many deposits would have left them. Only what a batch touches: it names accounts by their index.
    pub fn put_accounts(&mut self, accounts: u32, accounts_per_page: u32) -> Outcome<()> {
        let live_until = Some(self.chain.new_entry_lives_until());
        let mut slot = WEALTH.to_be_bytes().repeat(2);
        slot.resize(SLOT_BYTES, 0);
        for number in 0..accounts.div_ceil(accounts_per_page) {
            let used = accounts_per_page.min(accounts - number * accounts_per_page);
            let page = bytes(&slot.repeat(used as usize))?;
            let (key, entry) = contract_data(&self.contract, ScVal::U64(number.into()), page);
            self.chain.put(key, entry, live_until)?;
        }
        let count = vec(vec![crate::xdr::symbol("AccountCount")?])?;
        let (key, entry) = contract_data(&self.contract, count, ScVal::U32(accounts));
        self.chain.put(key, entry, live_until)
    }
}

fn asset(code: [u8; 4]) -> AlphaNum4 {
    AlphaNum4 {
        asset_code: AssetCode4(code),
        issuer: account(ISSUER),
    }
}

fn created(value: ScVal) -> Outcome<Hash> {
    match value {
        ScVal::Address(ScAddress::Contract(ContractId(hash))) => Ok(hash),
        other => Err(format!("a creation gave {other:?}")),
    }
}

fn put_account(chain: &mut Chain, account_id: &AccountId) -> Outcome<()> {
    let key = LedgerKey::Account(LedgerKeyAccount {
        account_id: account_id.clone(),
    });
    let entry = ledger_entry(LedgerEntryData::Account(AccountEntry {
        account_id: account_id.clone(),
        balance: 1_000_000_000_000,
        seq_num: SequenceNumber(0),
        num_sub_entries: 2,
        thresholds: Thresholds([1, 0, 0, 0]),
        ..AccountEntry::default()
    }));
    chain.put(key, entry, None)
}
