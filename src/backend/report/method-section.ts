import { html, type Markup } from './html.ts'

/** How the numbers came about and what they do not say; the same for every comparison. */
export function methodSection(): Markup {
  return html`<section><h2>Method</h2>
<dl>
<dt>Order</dt><dd>Models take turns in blocks, forwards and then backwards (A B C, C B A, …), so that heat, changing clocks and other load meet all of them alike. Every block runs in a fresh process of its own, with nothing else timed on that machine.</dd>
<dt>Warm-up</dt><dd>The first block of each model is preceded by the warm-up named above, each later block by its share of it. Loading the model and the first inference are timed apart; over the blocks their median is shown.</dd>
<dt>Samples</dt><dd>Every timed inference is kept, none is dropped as an outlier. A percentile is given only where the samples support it (59 for p95, 299 for p99); its 95 % interval comes from order statistics (exact binomial) and takes successive inferences as independent, which they are only nearly.</dd>
<dt>Speed-up</dt><dd>Block medians of baseline and build are paired; the estimate is the trimmed mean of their log ratios, the 95 % interval a bootstrap over blocks (with fewer than six blocks a t interval). “Faster” or “slower” is said only when the interval excludes 1 and the estimate is more than 2 % away from it. Otherwise: no difference shown.</dd>
<dt>Accuracy</dt><dd>Every model answered the same samples in the same order on the same machine. Intervals of an accuracy are Wilson score intervals at 95 %. Whether two models differ is decided by the exact McNemar test on the samples that only one of them got right (p below 0.05).</dd>
<dt>What is not claimed</dt><dd>“No difference shown” does not mean equal. The numbers hold for this machine, this software and this data; another processor can turn them round. Each test stands for itself: among many builds about one in twenty shows a difference by chance. Memory is that of the whole measuring process, not of the model alone.</dd>
</dl></section>`
}
