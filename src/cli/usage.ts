export const USAGE = `darkpool: trade in a dark pool that settles on Stellar

  darkpool order buy|sell MARKET --quantity N --price N [--tif GTC|GTD|IOC|FOK]
  darkpool market buy|sell MARKET --quantity N --price WORST [--tif IOC|FOK]
  darkpool market buy MARKET --spend N
  darkpool amend ORDER --quantity TOTAL --price N
  darkpool cancel ORDER                  or: cancel --client-id ID
  darkpool cancel-all [MARKET]
  darkpool dead-man [30s|off]            your orders are taken back unless this is said again in time; without a time: what runs
  darkpool orders [MARKET] [--all] [--limit N]
  darkpool book MARKET                   your own resting orders, best first
  darkpool balances
  darkpool deposit ASSET AMOUNT          pay into the vault, on chain
  darkpool withdraw ASSET AMOUNT         take out of the vault: asks the venue, then completes it on chain
  darkpool withdraw ID                   go on with a withdrawal asked for before
  darkpool keys                          the keys that may act for the account
  darkpool keys add KEY [--scope trade|read] [--market MARKET] [--until 30d]
  darkpool keys revoke KEY               ends what it may do, at once; its orders stay
  darkpool receipt get TRADE             what proves your fill of a settled trade: one JSON text, to keep
  darkpool receipt verify FILE           holds it against the chain, or with --root HEX against a root you know: 0 it is proved, 1 it is not
  darkpool audit                         whether the vault holds what it owes, by public data alone: --rpc, --vault; 0 it does, 1 it does not
  darkpool markets
  darkpool info                          versions, and what runs in the venue's enclave, as it says itself
  darkpool tape MARKET [--limit N]       what was traded, late and rounded, where the market makes it public
  darkpool watch [--after N]             your fills and orders as they happen; --after 0 for all since the first
  darkpool verify [URL] --policy FILE --rpc URL|--engine G…
                                         whether the venue is an enclave that the policy accepts: every check, and what it found
  darkpool policy --compose FILE …       a policy that accepts a build (docs/enclave/verification.md)
  darkpool status                        nodes and actors: owner, state, epoch, records, backlog (an operator)
  darkpool reconcile                     whether the venue's books and the chain agree: 0 they do, 1 they do not (an operator)
  darkpool pair move MARKET NODE         have a market matched on another node, without losing an order
  darkpool pair free MARKET              let it go where it belongs
  darkpool pair list                     what each market takes, and where it is matched (an operator)
  darkpool pair halt|cancel-only|open MARKET
                                         takes no orders, and no cancels either; takes cancels alone; trades (an operator)
  darkpool kill-switch on|off            halts every market, opens every one; --cancel-orders takes every open order out as well
  darkpool drain NODE [--undo]           every actor leaves a node, none goes there until --undo
  darkpool settlement queue              what waits to settle, what is on its way, and how far the chain has been read
  darkpool withdrawals [ACCOUNT] [--all] money on its way out: whose, since when, and what it waits for; --all: also what is over
  darkpool snapshot ACTOR                store a snapshot of a running actor now, beside it (an operator)
  darkpool metrics [--serve [ADDRESS:]PORT] [--gateways N]
                                         what every process measures, on one page: now, or whenever Prometheus asks (an operator, by --operator alone)
  darkpool journal verify [ACTOR…]       replay actors from their journals and compare every digest (with the venue's root key alone)
  darkpool keys show                     the venue's own keys: versions, public halves, and what still needs an older one (with the venue's root key alone)
  darkpool keys rotate engine|journal|tokens|feeds|nats-authority
                                         takes the next version into the venue file, where nothing has to come first; --dry-run
  darkpool keys retire journal           lets older versions go that nothing stored needs any more
  darkpool config check [--online]       what keeps a process from starting with a venue file (--venue FILE), and whether endpoints, contract and NATS fit it
  darkpool vault show|deploy|add-asset|register-engine|market add|announce|apply|cancel|pause|resume|collect-fees|sign|submit …
                                         the contract: without a key shows what it would do and cost (docs/operations/vault.md)

who trades    --as NAME   a trader of the local venue: the key in <state>/keys/NAME.seed
              --key FILE  a file that holds a Stellar secret key (S…)
              --for G…|C… the account that the key acts for: one that has delegated it, or a wallet that has named it
who operates  --operator FILE  a file that holds the Stellar secret key (S…) of an operator whom the venue file names: asks over NATS, wherever the venue runs
              --policy FILE    with it: verifies the enclave before anything is said to it, as darkpool verify does (--rpc URL or --engine G…)
              --nats URL       with it: where NATS is, where that is not what the venue says
              without it, the venue's root key in <state>/keys/root
where         --url URL   the gateway; default: the local venue's
              --rpc URL   Stellar RPC, for what is on chain; default: the local venue's
              --vault C…  the vault that is audited, or that a receipt has to be of; default: the local venue's, or the one that it names
              --state DIR the local venue's folder; default .darkpool
how long      --expires 90s|15m|1h|7d   how long a message counts, and an order may rest; default 1h
asking more   --post-only · --all-or-none · --minimum N [--minimum-per execution|counterparty] [--return-remainder]
              --self-trade newest|oldest|both|decrement: what happens where you would meet yourself
              --client-id ID: of your choice, to find and cancel the order by; no two open orders have the same
output        --json      one JSON value (watch: one per line)

Exit codes: 0 done · 1 failed · 2 not understood · 3 refused · 4 never sent · 5 outcome unknown: repeat the same message
`
