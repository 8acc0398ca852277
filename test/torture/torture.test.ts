import t from 'tap'
import { limit_ms, setting, torture } from './torture.ts'

t.setTimeout(limit_ms)
t.test(`one node: everything is killed at random ${setting}, and every order, fill and balance is accounted for`, (t) => torture(t))
