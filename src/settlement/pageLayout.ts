// How the vault contract lays balances out in entries (docs/contract.md, "Entries"): 32 accounts and the four assets of a group to a page.

/** The contract's `ACCOUNTS_PER_PAGE`. */
export const ACCOUNTS_PER_PAGE = 32
/** The contract's `ASSETS_PER_GROUP`: assets that share a page, and a section of a batch's deltas. */
export const ASSETS_PER_GROUP = 4

/** Number of the page, in each group, that has an account's balances. */
export const accountPage = (index: number): number => Math.floor(index / ACCOUNTS_PER_PAGE)
export const groupsOf = (assets: number): number => Math.ceil(assets / ASSETS_PER_GROUP)
export const assetGroup = (index: number): number => Math.floor(index / ASSETS_PER_GROUP)
/** Where in its group an asset stands. */
export const assetPosition = (index: number): number => index % ASSETS_PER_GROUP
export const assetIndex = (group: number, position: number): number => group * ASSETS_PER_GROUP + position
