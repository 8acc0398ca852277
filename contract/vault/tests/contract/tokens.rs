//! Tokens that are not what they should be.

use soroban_sdk::{Address, Env, MuxedAddress, contract, contractimpl, contracttype};

#[contracttype]
enum Key {
    Balance(Address),
    Behaviour,
}

#[contracttype]
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Behaviour {
    Honest,
    /// Keeps a tenth of what is moved.
    TakesFee,
    /// Says that it moved what it did not.
    MovesNothing,
    /// Takes one more from the sender than it was told to.
    TakesMore,
    /// Calls the vault during a transfer.
    Reenters,
    Refuses,
}

/// A token without rules: anybody mints, and no transfer needs authority.
#[contract]
pub struct OddToken;

#[contractimpl]
impl OddToken {
    pub fn become_token(env: Env, behaviour: Behaviour) {
        env.storage().instance().set(&Key::Behaviour, &behaviour);
    }

    pub fn mint(env: Env, to: Address, amount: i128) {
        change(&env, &to, amount);
    }

    pub fn balance(env: Env, id: Address) -> i128 {
        env.storage()
            .persistent()
            .get(&Key::Balance(id))
            .unwrap_or(0)
    }

    pub fn transfer(env: Env, from: Address, to: MuxedAddress, amount: i128) {
        let to = to.address();
        let behaviour = env
            .storage()
            .instance()
            .get(&Key::Behaviour)
            .unwrap_or(Behaviour::Honest);
        let (sent, received) = match behaviour {
            Behaviour::Honest => (amount, amount),
            Behaviour::TakesFee => (amount, amount - amount / 10),
            Behaviour::MovesNothing => (0, 0),
            Behaviour::TakesMore => (amount + 1, amount + 1),
            Behaviour::Reenters => {
                vault::VaultClient::new(&env, &to).get_account_count();
                (amount, amount)
            }
            Behaviour::Refuses => panic!("refused"),
        };
        change(&env, &from, -sent);
        change(&env, &to, received);
    }
}

fn change(env: &Env, holder: &Address, amount: i128) {
    let key = Key::Balance(holder.clone());
    let balance: i128 = env.storage().persistent().get(&key).unwrap_or(0);
    env.storage().persistent().set(&key, &(balance + amount));
}
