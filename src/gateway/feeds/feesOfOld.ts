import type { FeedMessage } from '../../protocol/feed.ts'

type Fill = Extract<FeedMessage, { readonly type: 'fill' }>
type OldFill = Omit<Fill, 'fee' | 'feeAsset'> & Partial<Pick<Fill, 'fee' | 'feeAsset'>>

/** A stored message as it would be written today: a fill of before there were fees says nothing of them, and none was kept. */
export function withFee(message: FeedMessage): FeedMessage {
  if (message.type !== 'fill') return message
  const { fee, feeAsset, ...fill }: OldFill = message
  if (fee !== undefined && feeAsset !== undefined) return message
  const [base = '', quote = ''] = fill.market.split('-')
  return { ...fill, fee: '0', feeAsset: fill.side === 'buy' ? base : quote }
}
