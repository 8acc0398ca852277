//! Contract accounts: smart wallets that authorise by their own rules and have no key that could sign a message.

use soroban_sdk::auth::{Context, CustomAccountInterface};
use soroban_sdk::crypto::Hash;
use soroban_sdk::testutils::Address as _;
use soroban_sdk::xdr::{
    InvokeContractArgs, ScAddress, ScVal, SorobanAddressCredentials, SorobanAuthorizationEntry,
    SorobanAuthorizedFunction, SorobanAuthorizedInvocation, SorobanCredentials, VecM,
};
use soroban_sdk::{
    Address, Bytes, BytesN, Env, IntoVal, TryFromVal, Val, Vec as HostVec, contract, contracterror,
    contractimpl, symbol_short,
};
use vault::EXIT_DELAY_SECONDS;

use crate::chain::{Chain, Outcome, Refusal, outcome};
use crate::encoding::swap;

#[contracterror]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WalletError {
    WrongPassword = 1,
}

/// Authorises whatever comes with the preimage of a hash: no signature of any kind that the vault could check itself.
#[contract]
pub struct Wallet;

#[contractimpl]
impl Wallet {
    pub fn __constructor(env: Env, lock: BytesN<32>) {
        env.storage().instance().set(&symbol_short!("lock"), &lock);
    }
}

#[contractimpl]
impl CustomAccountInterface for Wallet {
    type Signature = Bytes;
    type Error = WalletError;

    fn __check_auth(
        env: Env,
        _payload: Hash<32>,
        password: Bytes,
        _contexts: soroban_sdk::Vec<Context>,
    ) -> Result<(), WalletError> {
        let lock: BytesN<32> = env
            .storage()
            .instance()
            .get(&symbol_short!("lock"))
            .unwrap();
        if env.crypto().sha256(&password).to_bytes() == lock {
            Ok(())
        } else {
            Err(WalletError::WrongPassword)
        }
    }
}

const PASSWORD: &[u8] = b"open sesame";

fn wallet(chain: &Chain) -> Address {
    let lock = chain
        .env
        .crypto()
        .sha256(&Bytes::from_slice(&chain.env, PASSWORD))
        .to_bytes();
    chain.env.register(Wallet, (lock,))
}

/// Authorises what comes next: the network's own entry for a call and what is below it, with this password in the place of a signature.
fn authorise(
    chain: &Chain,
    wallet: &Address,
    nonce: i64,
    password: &[u8],
    calls: &[(&Address, &str, HostVec<Val>)],
) {
    let invocation = calls
        .iter()
        .rev()
        .fold(None, |below, (contract, function, arguments)| {
            let args: Vec<ScVal> = arguments
                .iter()
                .map(|value| ScVal::try_from_val(&chain.env, &value).unwrap())
                .collect();
            Some(SorobanAuthorizedInvocation {
                function: SorobanAuthorizedFunction::ContractFn(InvokeContractArgs {
                    contract_address: ScAddress::from(*contract),
                    function_name: (*function).try_into().unwrap(),
                    args: args.try_into().unwrap(),
                }),
                sub_invocations: below
                    .map_or(VecM::default(), |below| vec![below].try_into().unwrap()),
            })
        });
    let entry = SorobanAuthorizationEntry {
        credentials: SorobanCredentials::Address(SorobanAddressCredentials {
            address: ScAddress::from(wallet),
            nonce,
            signature_expiration_ledger: chain.env.ledger().sequence() + 100,
            signature: ScVal::Bytes(password.to_vec().try_into().unwrap()),
        }),
        root_invocation: invocation.unwrap(),
    };
    chain.env.set_auths(&[entry]);
}

/// Deposits, trades, leaves with the engine and without it: each by the wallet's own rule.
#[test]
fn a_wallet_does_all_that_a_classic_account_does() {
    let (chain, tokens) = Chain::with_assets(2);
    let other = chain.depositor(&tokens, 100);
    let wallet = wallet(&chain);
    chain.mint(&tokens[0], &wallet, 100);
    let env = &chain.env;
    let vault = &chain.vault.address;
    let token = &tokens[0];
    let deposit = |nonce, password: &[u8]| -> Outcome<u32> {
        authorise(
            &chain,
            &wallet,
            nonce,
            password,
            &[
                (vault, "deposit", (&wallet, token, 60_i128).into_val(env)),
                (token, "transfer", (&wallet, vault, 60_i128).into_val(env)),
            ],
        );
        outcome!(chain.vault.try_deposit(&wallet, token, &60))
    };
    assert_eq!(deposit(1, b"guess"), Err(Refusal::Host));
    assert_eq!(deposit(2, PASSWORD), Ok(1));
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 10, 20))),
        Ok(())
    );
    assert_eq!(chain.balance(&wallet, token), 50);
    assert_eq!(chain.balance(&wallet, &tokens[1]), 20);
    assert_eq!(chain.balance(&other, token), 110);

    let request = |nonce, password: &[u8]| {
        authorise(
            &chain,
            &wallet,
            nonce,
            password,
            &[(
                vault,
                "request_withdraw",
                (&wallet, token, 50_i128).into_val(env),
            )],
        );
        outcome!(chain.vault.try_request_withdraw(&wallet, token, &50))
    };
    assert_eq!(
        request(3, b"guess").map(|exit| exit.amount),
        Err(Refusal::Host)
    );
    assert_eq!(request(4, PASSWORD).map(|exit| exit.amount), Ok(50));
    chain.pass(1, EXIT_DELAY_SECONDS);
    authorise(
        &chain,
        &wallet,
        5,
        PASSWORD,
        &[(vault, "claim_withdraw", (&wallet, token).into_val(env))],
    );
    assert_eq!(
        outcome!(chain.vault.try_claim_withdraw(&wallet, token)),
        Ok(50)
    );
    assert_eq!(chain.held(&wallet, token), 90);
    assert_eq!(chain.withdraw(&wallet, &tokens[1], 20), Ok(()));
}

#[test]
fn a_wallet_names_its_trading_key() {
    let chain = Chain::new();
    let wallet = wallet(&chain);
    let env = &chain.env;
    let key = chain.bytes32(5);
    let name = |nonce, password: &[u8], key: Option<BytesN<32>>| {
        authorise(
            &chain,
            &wallet,
            nonce,
            password,
            &[(
                &chain.vault.address,
                "set_trading_key",
                (&wallet, key.clone()).into_val(env),
            )],
        );
        outcome!(chain.vault.try_set_trading_key(&wallet, &key))
    };
    assert_eq!(chain.vault.get_trading_key(&wallet), None);
    assert_eq!(name(1, b"guess", Some(key.clone())), Err(Refusal::Host));
    assert_eq!(name(2, PASSWORD, Some(key.clone())), Ok(()));
    assert_eq!(chain.vault.get_trading_key(&wallet), Some(key));
    assert_eq!(chain.vault.get_trading_key(&Address::generate(env)), None);
    assert_eq!(name(3, PASSWORD, Some(chain.bytes32(6))), Ok(()));
    assert_eq!(chain.vault.get_trading_key(&wallet), Some(chain.bytes32(6)));
    assert_eq!(name(4, PASSWORD, None), Ok(()));
    assert_eq!(chain.vault.get_trading_key(&wallet), None);
    // Taking away what is not there is no fault.
    assert_eq!(name(5, PASSWORD, None), Ok(()));
}

/// A trading key is the account's own word and nobody else's, the administrator's and the engine's included.
#[test]
fn nobody_names_anothers_trading_key() {
    let (chain, tokens) = Chain::with_assets(1);
    let user = chain.depositor(&tokens, 1);
    let key = Some(chain.bytes32(5));
    let arguments: HostVec<Val> = (&user, key.clone()).into_val(&chain.env);
    for signer in [&chain.admin, &chain.engine] {
        chain.authorise(&[chain.by(signer, "set_trading_key", arguments.clone())]);
        assert_eq!(
            outcome!(chain.vault.try_set_trading_key(&user, &key)),
            Err(Refusal::Host)
        );
    }
    chain.authorise(&[chain.by(&user, "set_trading_key", arguments)]);
    assert_eq!(
        outcome!(chain.vault.try_set_trading_key(&user, &key)),
        Ok(())
    );
}
