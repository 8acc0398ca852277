//! Balances in pages: how an account's balance is found, and the only code that changes one.

mod book;
mod exits;
mod page;

pub use book::{Balances, balance, exit, keep};
pub use exits::Exit;
pub use page::{ACCOUNTS_PER_PAGE, ASSETS_PER_GROUP};
