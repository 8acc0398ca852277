//! Who may change what, and how long before it is said; and what a pause stops.

use soroban_sdk::testutils::Address as _;
use soroban_sdk::{Address, IntoVal, Val, Vec as HostVec, vec};
use vault::{
    Announcement, CHANGE_LIFETIME_SECONDS, Change, EXIT_DELAY_SECONDS, Error, MAX_ANNOUNCEMENTS,
    MAX_CHANGE_DELAY_SECONDS, MAX_CHANNELS, MIN_CHANGE_DELAY_SECONDS,
};

use crate::batch::traders;
use crate::chain::{Chain, Outcome, Refusal, START_TIME, outcome};
use crate::encoding::swap;

const NO_AUTHORITY: Refusal = Refusal::Host;

fn refused<T>(error: Error) -> Outcome<T> {
    Err(Refusal::Contract(error))
}

impl Chain {
    pub fn announce(&self, change: &Change) -> Outcome<u64> {
        self.announce_by(&self.admin, change)
    }

    pub fn announce_by(&self, signer: &Address, change: &Change) -> Outcome<u64> {
        let arguments = (change.clone(),).into_val(&self.env);
        self.authorise(&[self.by(signer, "announce_change", arguments)]);
        outcome!(self.vault.try_announce_change(change))
    }

    pub fn apply(&self, change: &Change) -> Outcome<()> {
        self.apply_by(&self.admin, change)
    }

    pub fn apply_by(&self, signer: &Address, change: &Change) -> Outcome<()> {
        let arguments = (change.clone(),).into_val(&self.env);
        self.authorise(&[self.by(signer, "apply_change", arguments)]);
        outcome!(self.vault.try_apply_change(change))
    }

    pub fn cancel_by(&self, signer: &Address, change: &Change) -> Outcome<()> {
        let arguments = (signer, change.clone()).into_val(&self.env);
        self.authorise(&[self.by(signer, "cancel_change", arguments)]);
        outcome!(self.vault.try_cancel_change(signer, change))
    }

    /// Announces, waits and applies.
    pub fn change(&self, change: &Change) {
        self.announce(change).unwrap();
        self.pass(1, self.vault.get_change_delay());
        self.apply(change).unwrap();
    }

    pub fn pause_by(&self, signer: &Address, token: Option<&Address>) -> Outcome<()> {
        let token = token.cloned();
        let arguments = (token.clone(),).into_val(&self.env);
        self.authorise(&[self.by(signer, "pause", arguments)]);
        outcome!(self.vault.try_pause(&token))
    }

    pub fn unpause_by(&self, signer: &Address, token: Option<&Address>) -> Outcome<()> {
        let token = token.cloned();
        let arguments = (token.clone(),).into_val(&self.env);
        self.authorise(&[self.by(signer, "unpause", arguments)]);
        outcome!(self.vault.try_unpause(&token))
    }
}

/// The least delay, to the second.
fn wait(chain: &Chain) {
    chain.pass(1, MIN_CHANGE_DELAY_SECONDS);
}

#[test]
fn an_engine_is_replaced_after_notice() {
    let (chain, _, _) = traders(2);
    let successor = Address::generate(&chain.env);
    let change = Change::Engine(0, successor.clone());
    assert_eq!(chain.apply(&change), refused(Error::ChangeNotAnnounced));
    let due = START_TIME + MIN_CHANGE_DELAY_SECONDS;
    assert_eq!(chain.announce(&change), Ok(due));
    assert_eq!(
        chain.vault.get_changes(),
        vec![
            &chain.env,
            Announcement {
                change: change.clone(),
                due
            }
        ]
    );
    chain.pass(1, MIN_CHANGE_DELAY_SECONDS - 1);
    assert_eq!(chain.apply(&change), refused(Error::ChangeNotDue));
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))),
        Ok(()),
        "the old one settles until then"
    );
    chain.pass(1, 1);
    assert_eq!(chain.apply(&change), Ok(()));
    assert_eq!(chain.vault.get_matching_engine(), Some(successor.clone()));
    assert!(chain.vault.get_changes().is_empty());
    let batch = chain.batch(&swap(0, 1, 1, 1));
    assert_eq!(chain.settle_batch(&batch), Err(NO_AUTHORITY));
    chain.authorise(&[chain.batch_authority(&successor, &batch)]);
    assert_eq!(outcome!(chain.vault.try_settle_batch(&batch)), Ok(()));
    assert_eq!(chain.apply(&change), refused(Error::ChangeNotAnnounced));
}

/// The notice is long enough to be out before the change, with two days to hear of it.
#[test]
fn whoever_disagrees_is_out_before_a_change() {
    let (chain, tokens, users) = traders(2);
    let change = Change::Engine(0, Address::generate(&chain.env));
    chain.announce(&change).unwrap();
    chain.pass(1, MIN_CHANGE_DELAY_SECONDS - EXIT_DELAY_SECONDS - 1);
    chain.request(&users[0], &tokens[0], i128::MAX).unwrap();
    chain.pass(1, EXIT_DELAY_SECONDS);
    assert_eq!(chain.apply(&change), refused(Error::ChangeNotDue));
    assert_eq!(chain.claim(&users[0], &tokens[0]), Ok(1_000));
}

/// As long as nobody has an account: afterwards the same call needs the notice, and what was announced before waits as well.
#[test]
fn a_vault_without_accounts_is_set_up_at_once() {
    let (chain, tokens) = Chain::with_assets(1);
    let [second, third, pauser] = [(); 3].map(|()| Address::generate(&chain.env));
    let arguments = (&second,).into_val(&chain.env);
    chain.authorise(&[chain.by(&chain.admin, "set_matching_engine", arguments)]);
    assert_eq!(
        outcome!(chain.vault.try_set_matching_engine(&second)),
        Ok(())
    );
    assert_eq!(chain.apply(&Change::Pauser(pauser.clone())), Ok(()));
    assert_eq!(chain.vault.get_pauser(), pauser);
    let change = Change::Engine(0, third.clone());
    chain.announce(&change).unwrap();
    chain.depositor(&tokens, 1);
    let arguments: HostVec<Val> = (&third,).into_val(&chain.env);
    chain.authorise(&[chain.by(&chain.admin, "set_matching_engine", arguments.clone())]);
    assert_eq!(
        outcome!(chain.vault.try_set_matching_engine(&third)),
        refused(Error::ChangeNotDue)
    );
    wait(&chain);
    chain.authorise(&[chain.by(&chain.admin, "set_matching_engine", arguments)]);
    assert_eq!(
        outcome!(chain.vault.try_set_matching_engine(&third)),
        Ok(())
    );
}

#[test]
fn an_admin_hands_over_to_one_who_accepts() {
    let (chain, _, _) = traders(1);
    let [successor, stranger] = [(); 2].map(|()| Address::generate(&chain.env));
    let change = Change::Admin(successor.clone());
    chain.announce(&change).unwrap();
    assert_eq!(
        chain.apply_by(&successor, &change),
        refused(Error::ChangeNotDue)
    );
    wait(&chain);
    for signer in [&chain.admin, &stranger] {
        assert_eq!(chain.apply_by(signer, &change), Err(NO_AUTHORITY));
    }
    assert_eq!(chain.apply_by(&successor, &change), Ok(()));
    assert_eq!(chain.vault.get_admin(), successor);
    let next = Change::Delay(MAX_CHANGE_DELAY_SECONDS);
    assert_eq!(chain.announce(&next), Err(NO_AUTHORITY));
    assert!(chain.announce_by(&successor, &next).is_ok());
}

/// An empty vault's administrator does not hand it to somebody who never said yes, nor does anybody take it.
#[test]
fn nobody_takes_an_empty_vault() {
    let chain = Chain::new();
    let thief = Address::generate(&chain.env);
    let change = Change::Admin(thief.clone());
    assert_eq!(
        chain.apply_by(&thief, &change),
        refused(Error::ChangeNotAnnounced)
    );
    chain.announce(&change).unwrap();
    assert_eq!(chain.apply(&change), Err(NO_AUTHORITY));
    assert_eq!(chain.apply_by(&thief, &change), Ok(()));
}

#[test]
fn only_the_admin_announces_applies_and_removes() {
    let (chain, _, users) = traders(1);
    let pauser = Address::generate(&chain.env);
    chain.change(&Change::Pauser(pauser.clone()));
    let change = Change::Engine(1, users[0].clone());
    for signer in [&pauser, &chain.engine, &users[0]] {
        assert_eq!(chain.announce_by(signer, &change), Err(NO_AUTHORITY));
    }
    chain.announce(&change).unwrap();
    wait(&chain);
    for signer in [&pauser, &chain.engine, &users[0]] {
        assert_eq!(chain.apply_by(signer, &change), Err(NO_AUTHORITY));
        let channel: HostVec<Val> = (0_u32,).into_val(&chain.env);
        chain.authorise(&[chain.by(signer, "remove_matching_engine", channel)]);
        assert_eq!(
            outcome!(chain.vault.try_remove_matching_engine(&0)),
            Err(NO_AUTHORITY)
        );
    }
    assert_eq!(chain.apply(&change), Ok(()));
}

/// An administrator whose key was stolen, or the pauser, refuses what the thief has announced; but a pauser does not stay for ever.
#[test]
fn admin_and_pauser_cancel() {
    let (chain, _, users) = traders(1);
    let [pauser, next] = [(); 2].map(|()| Address::generate(&chain.env));
    chain.change(&Change::Pauser(pauser.clone()));
    let change = Change::Engine(0, users[0].clone());
    for signer in [&pauser, &chain.admin] {
        chain.announce(&change).unwrap();
        assert_eq!(
            chain.cancel_by(&users[0], &change),
            refused(Error::NotPermitted)
        );
        assert_eq!(chain.cancel_by(signer, &change), Ok(()));
        assert_eq!(
            chain.cancel_by(signer, &change),
            refused(Error::ChangeNotAnnounced)
        );
        wait(&chain);
        assert_eq!(chain.apply(&change), refused(Error::ChangeNotAnnounced));
    }
    // Named, but not signed by.
    chain.announce(&change).unwrap();
    let arguments = (&pauser, change.clone()).into_val(&chain.env);
    chain.authorise(&[chain.by(&users[0], "cancel_change", arguments)]);
    assert_eq!(
        outcome!(chain.vault.try_cancel_change(&pauser, &change)),
        Err(NO_AUTHORITY)
    );
    let replacement = Change::Pauser(next.clone());
    chain.announce(&replacement).unwrap();
    assert_eq!(
        chain.cancel_by(&pauser, &replacement),
        refused(Error::NotPermitted)
    );
    wait(&chain);
    assert_eq!(chain.apply(&replacement), Ok(()));
    assert_eq!(chain.vault.get_pauser(), next);
}

#[test]
fn an_announcement_lapses() {
    let (chain, _, users) = traders(1);
    let change = Change::Engine(0, users[0].clone());
    chain.announce(&change).unwrap();
    assert_eq!(chain.announce(&change), refused(Error::ChangeAnnounced));
    wait(&chain);
    chain.pass(1, CHANGE_LIFETIME_SECONDS);
    assert_eq!(chain.vault.get_changes().len(), 1);
    chain.pass(1, 1);
    assert!(chain.vault.get_changes().is_empty());
    assert_eq!(chain.apply(&change), refused(Error::ChangeNotAnnounced));
    assert!(chain.announce(&change).is_ok());
}

#[test]
fn announcements_have_an_end() {
    let (chain, _, _) = traders(1);
    for channel in 0..MAX_ANNOUNCEMENTS {
        let change = Change::Engine(channel, chain.engine.clone());
        chain.announce(&change).unwrap();
    }
    let more = Change::Delay(MIN_CHANGE_DELAY_SECONDS);
    assert_eq!(chain.announce(&more), refused(Error::ChangeLimitReached));
    // Lapsed ones make room by themselves.
    wait(&chain);
    chain.pass(1, CHANGE_LIFETIME_SECONDS + 1);
    assert!(chain.announce(&more).is_ok());
}

/// A delay is itself changed after the delay that it had.
#[test]
fn the_delay_is_a_change_like_others() {
    let (chain, _, _) = traders(1);
    for seconds in [
        0,
        MIN_CHANGE_DELAY_SECONDS - 1,
        MAX_CHANGE_DELAY_SECONDS + 1,
        u64::MAX,
    ] {
        assert_eq!(
            chain.announce(&Change::Delay(seconds)),
            refused(Error::InvalidDelay)
        );
    }
    chain.change(&Change::Delay(MAX_CHANGE_DELAY_SECONDS));
    assert_eq!(chain.vault.get_change_delay(), MAX_CHANGE_DELAY_SECONDS);
    let shorter = Change::Delay(MIN_CHANGE_DELAY_SECONDS);
    chain.announce(&shorter).unwrap();
    wait(&chain);
    assert_eq!(chain.apply(&shorter), refused(Error::ChangeNotDue));
}

#[test]
fn channels_have_an_end() {
    let chain = Chain::new();
    let engine = chain.engine.clone();
    assert_eq!(
        chain.apply(&Change::Engine(MAX_CHANNELS - 1, engine.clone())),
        Ok(())
    );
    let beyond = Change::Engine(MAX_CHANNELS, engine);
    assert_eq!(chain.apply(&beyond), refused(Error::ChannelLimitReached));
    assert_eq!(chain.announce(&beyond), refused(Error::ChannelLimitReached));
}

/// Taking power away needs no notice; giving it again does.
#[test]
fn an_engine_is_removed_at_once() {
    let (chain, tokens, users) = traders(2);
    let channel = (0_u32,).into_val(&chain.env);
    chain.authorise(&[chain.by(&chain.admin, "remove_matching_engine", channel)]);
    assert_eq!(outcome!(chain.vault.try_remove_matching_engine(&0)), Ok(()));
    let unset = refused(Error::MatchingEngineNotSet);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), unset);
    assert_eq!(chain.withdraw(&users[0], &tokens[0], 1), unset);
    chain.request(&users[0], &tokens[0], 1_000).unwrap();
    let again = Change::Engine(0, chain.engine.clone());
    assert_eq!(chain.apply(&again), refused(Error::ChangeNotAnnounced));
    chain.pass(1, EXIT_DELAY_SECONDS);
    assert_eq!(chain.claim(&users[0], &tokens[0]), Ok(1_000));
}

/// Whatever brings money in or moves it between accounts stops; whatever pays it out goes on.
#[test]
fn a_pause_stops_everything_but_the_ways_out() {
    let (chain, tokens, users) = traders(2);
    let pauser = Address::generate(&chain.env);
    chain.change(&Change::Pauser(pauser.clone()));
    chain.request(&users[0], &tokens[0], 100).unwrap();
    chain.mint(&tokens[0], &users[0], 5);
    for signer in [&chain.admin, &chain.engine, &users[0]] {
        assert_eq!(chain.pause_by(signer, None), Err(NO_AUTHORITY));
    }
    assert_eq!(chain.pause_by(&pauser, None), Ok(()));
    assert!(chain.vault.is_paused(&None));
    assert!(chain.vault.is_paused(&Some(tokens[1].clone())));

    let paused = refused(Error::Paused);
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), paused);
    assert_eq!(chain.settle_batch(&chain.batch(&[])), paused);
    let mut trade = crate::trade::instruction(&chain, &users[0], &users[1], &tokens[0], &tokens[1]);
    trade.timestamp = chain.env.ledger().timestamp();
    assert_eq!(chain.settle_trade(&trade), paused);
    assert_eq!(
        chain.deposit(&users[0], &tokens[0], 5),
        refused(Error::Paused)
    );

    assert!(chain.request(&users[1], &tokens[0], 700).is_ok());
    assert_eq!(chain.cancel_request(&users[1], &tokens[0]), Ok(()));
    assert!(chain.request(&users[1], &tokens[0], 700).is_ok());
    assert_eq!(chain.withdraw(&users[0], &tokens[1], 300), Ok(()));
    chain.pass(1, EXIT_DELAY_SECONDS);
    assert_eq!(chain.claim(&users[0], &tokens[0]), Ok(100));
    assert_eq!(chain.claim(&users[1], &tokens[0]), Ok(700));

    for signer in [&pauser, &chain.engine, &users[0]] {
        assert_eq!(chain.unpause_by(signer, None), Err(NO_AUTHORITY));
    }
    assert_eq!(chain.unpause_by(&chain.admin, None), Ok(()));
    assert!(!chain.vault.is_paused(&None));
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), Ok(()));
    assert_eq!(chain.deposit(&users[0], &tokens[0], 5), Ok(0));
}

/// One asset alone, in the middle of a group and in another one; the pause of all leaves it as it was.
#[test]
fn an_asset_is_paused_alone() {
    let (chain, tokens) = Chain::with_assets(6);
    let users = [(); 2].map(|()| chain.depositor(&tokens, 1_000));
    let admin = chain.admin.clone();
    for paused in [1, 5] {
        assert_eq!(chain.pause_by(&admin, Some(&tokens[paused])), Ok(()));
    }
    assert!(!chain.vault.is_paused(&None));
    for (asset, token) in tokens.iter().enumerate() {
        let stopped = asset == 1 || asset == 5;
        assert_eq!(chain.vault.is_paused(&Some(token.clone())), stopped);
        chain.mint(token, &users[0], 1);
        let moved = crate::encoding::encode(&crate::encoding::Deltas::from([
            ((0, asset as u32), -1),
            ((1, asset as u32), 1),
        ]));
        let settled = chain.settle_batch(&chain.batch(&moved));
        let deposited = chain.deposit(&users[0], token, 1);
        if stopped {
            assert_eq!(settled, refused(Error::AssetPaused));
            assert_eq!(deposited, refused(Error::AssetPaused));
        } else {
            assert_eq!(settled, Ok(()));
            assert_eq!(deposited, Ok(0));
        }
        assert_eq!(chain.withdraw(&users[0], token, 1), Ok(()));
    }
    for (base, quote) in [(0, 1), (1, 0), (2, 5)] {
        let trade =
            crate::trade::instruction(&chain, &users[0], &users[1], &tokens[base], &tokens[quote]);
        assert_eq!(chain.settle_trade(&trade), refused(Error::AssetPaused));
    }
    chain.pause_by(&admin, None).unwrap();
    chain.unpause_by(&admin, None).unwrap();
    assert_eq!(
        chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))),
        refused(Error::AssetPaused)
    );
    chain.unpause_by(&admin, Some(&tokens[1])).unwrap();
    assert_eq!(chain.settle_batch(&chain.batch(&swap(0, 1, 1, 1))), Ok(()));
    assert_eq!(
        chain.pause_by(&admin, Some(&users[0])),
        refused(Error::UnknownAsset)
    );
}
