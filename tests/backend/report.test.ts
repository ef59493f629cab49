import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { htmlReport } from '../../src/backend/report/formats/html-report.ts'
import type { Comparison } from '../../src/contract/measurement.ts'
import type { Model } from '../../src/contract/model.ts'
import { comparisonDocument, fullDocument, reported, withHostileText } from './report-document-fixture.ts'
import { comparison, ids, models, row } from './report-fixture.ts'

/** Comparisons as a page. */
function render(comparisons: Comparison[], made: Model[] = models()): string {
  return htmlReport(comparisonDocument({ comparisons, models: made.map(reported) }))
}

const hostile = `"><script>alert(1)</script><img src=x onerror='alert(1)'> &amp; \u001b[31m\u202ereversed\n</style></title>`

/** Text of a page as a reader sees it: no markup, no style, no data, entities resolved, spaces joined. */
function visibleText(page: string): string {
  return page
    .replace(/<(style|script|title)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_entity, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] ?? '')
    .replace(/\s+/g, ' ')
}

/** Names of all elements, after checking that each one is closed in order. */
function elementNames(page: string): Set<string> {
  const names = new Set<string>()
  const open: string[] = []
  const withoutRawText = page.replace(/(<(style|script)\b[^>]*>)[\s\S]*?(<\/\2>)/g, '$1$3')
  for (const [, closing, name = '', attributes = '', selfClosing] of withoutRawText.matchAll(
    /<(\/?)([a-zA-Z!][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>/g,
  )) {
    if (closing) expect(open.pop(), `</${name}>`).toBe(name)
    else if (!selfClosing && !/^(meta|br|!doctype)$/i.test(name)) open.push(name)
    expect(attributes.replace(/"[^"]*"/g, '""')).not.toMatch(/\s(on\w+|style|src|href)\s*=/i)
    names.add(name)
  }
  expect(open).toEqual([])
  return names
}

describe('htmlReport', () => {
  it('says in words what is faster, smaller and as accurate, and what is not', () => {
    const text = visibleText(render([comparison()]))
    expect(text).toContain('fashion-cnn int8-static is the fastest choice: 2.15× the speed of fashion-cnn, no loss of accuracy shown.')
    expect(text).toContain(
      'fashion-cnn int8-static is faster: 2.15× the speed (95 % interval 2.10× – 2.20×), median 1.15 ms against 1.40 ms.',
    )
    expect(text).toContain('The file is 3.91× smaller: 448 kB against 1.75 MB.')
    expect(text).toContain('No difference in accuracy shown: 91.20 % against 91.30 % (exact McNemar test, p = 0.83).')
    expect(text).toContain('it needs 1.25× the time (speed 0.80×, 95 % interval 0.78× – 0.82×)')
    expect(text).toContain('It is no optimization on this machine.')
    expect(text).toContain('Accuracy is lower by 2.30 points: 89.00 % against 91.30 % (exact McNemar test, p < 0.001).')
  })

  it.each<[string, Partial<Comparison['rows'][number]>, string]>([
    [
      'only a faster build that lost accuracy',
      { accuracyDifference: { difference: -0.05, onlyBaseline: 90, onlyBuild: 2, pValue: 1e-9, agreement: 0.9 } },
      'Every build that is faster than fashion-cnn is less accurate',
    ],
    [
      'no faster build',
      { speedup: { estimate: 1.01, ci95: [0.99, 1.03], verdict: 'no difference shown', blocks: 10 } },
      'No build was shown to be faster than fashion-cnn on this machine. 2 fashion-cnn int8-static No difference in speed shown: 1.01× (95 % interval 0.99× – 1.03×)',
    ],
  ])('does not promise anything with %s', (_name, changes, sentence) => {
    const { rows, ...rest } = comparison()
    const changed = { ...rest, rows: [rows[0] as (typeof rows)[number], row(ids.int8, 'fashion-cnn int8-static', 1.15, changes)] }
    expect(visibleText(render([changed]))).toContain(sentence)
  })

  it('shows every number with its interval, and a dash where a percentile is not supported', () => {
    const text = visibleText(render([comparison()]))
    expect(text).toContain('p50 1.40 ms 1.15 ms 1.45 ms p50, 95 % interval 1.39 ms – 1.41 ms 1.14 ms – 1.16 ms')
    expect(text).toContain('p99 – – – p99, 95 % interval – – –')
    expect(text).toContain('95 % interval 90.00 % – 92.50 % 89.88 % – 92.37 %')
    expect(text).toContain('right only here / only in baseline – 10 / 12 14 / 60')
    expect(text).toContain('speed – faster slower accuracy – no difference shown lower')
  })

  it('tells how each build was made, where it ran, and what makes it less sure', () => {
    const text = visibleText(render([comparison()]))
    expect(text).toContain(
      'fashion-cnn int8-static : int8-static calibrator=minmax percentile=99.999 perChannel=true symmetricActivations=false weightScale=auto biasCorrection=true onlyFaster=false exclude=[Softmax] for x64',
    )
    expect(text).toContain('SQNR 31.4 dB, cosine 0.999640, largest difference 0.210 (worst output, 256 calibration samples)')
    expect(text).toContain('6; run by int8 kernels after loading: 5')
    expect(text).toContain('1 node left as before node operator reason softmax_1 Softmax excluded by the recipe')
    expect(text).toContain('It is no longer in the workspace')
    expect(text).toContain('Some Processor 2.4 GHz, 2 logical cores (x64)')
    expect(text).toContain('1,000 runs per model in 10 blocks, batch 1, 1 thread inside an operator')
    expect(text).toContain('3 fashion-cnn prune-magnitude: machine was less than 90 % idle')
    expect(text).toContain('What is not claimed')
  })

  it('passes on what an imported file says of how it was made, and nothing when that is unreadable', () => {
    const lineage = {
      source: { name: '<b>teacher', sha256: 'ab' },
      recipe: [{ recipe: 'int8-static', perChannel: true }, { recipe: 'later' }],
      target: 'arm64',
      calibration: { dataset: 'faces', samples: 1 },
    }
    const textWith = (value: string) => {
      const [imported, ...rest] = models()
      if (!imported) throw new Error('the fixture has models')
      const stated = { ...imported, report: { ...imported.report, metadata: { 'edgesmith.lineage': value } } }
      return visibleText(render([comparison()], [stated, ...rest]))
    }
    expect(textWith(JSON.stringify(lineage))).toContain(
      'by its own account made from <b>teacher: int8-static perChannel=true , then later for arm64, calibrated on 1 sample of faces',
    )
    for (const broken of ['{', '7', '{"source":1}']) expect(textWith(broken)).not.toContain('own account')
  })

  it('says why a build is slower, what was left in float and which channels went', () => {
    const explanation: NonNullable<Comparison['rows'][number]['explanation']> = {
      baselineMs: 1.4,
      buildMs: 1.75,
      findings: [{ rule: 'few-channels', message: '2 convolutions have too few channels', nodes: ['conv_1'], lostMs: 0.25 }],
      nodes: [
        {
          node: 'conv_1',
          baseline: { node: 'conv_1', kernels: ['Conv (NCHWc)'], ms: 0.1 },
          build: { node: 'conv_1', kernels: ['QLinearConv'], ms: 0.35 },
          lostMs: 0.25,
        },
        { node: 'q_1', baseline: null, build: { node: 'q_1', kernels: ['QuantizeLinear'], ms: 0.1 }, lostMs: 0.1 },
      ],
      kernels: [],
      cpuFeatures: ['avx2'],
      advice: 'Keep it in float here.',
    }
    const { rows, ...rest } = comparison()
    const explained = { ...rest, rows: rows.map((entry) => (entry.speedup?.verdict === 'slower' ? { ...entry, explanation } : entry)) }
    const [imported, build] = models()
    if (!imported || !build?.summary) throw new Error('the fixture has a build')
    const summary: typeof build.summary = {
      ...build.summary,
      mixedPrecision: {
        metric: 'accuracy',
        maxDrop: 0.01,
        baseline: 0.913,
        reached: 0.909,
        samples: 2000,
        met: true,
        trials: 7,
        left: [
          { node: 'stem', op: 'Conv', reason: 'it costs most', sqnrDb: 18.2, gainMs: 0.1 },
          { node: 'head', op: 'Gemm', reason: 'its outputs suffer', sqnrDb: 21.4, gainMs: null },
        ],
      },
      channelPruning: {
        goal: 'macs',
        amount: 0.3,
        macsBefore: 5_000_000,
        macsAfter: 3_500_000,
        parametersBefore: 431_000,
        parametersAfter: 300_000,
        latencyBeforeMs: null,
        latencyAfterMs: null,
        refitted: true,
        layers: [{ node: 'conv_2', op: 'Conv', before: 64, after: 40 }],
      },
    }
    const text = visibleText(render([explained], [imported, { ...build, summary }]))
    expect(text).toContain('Why slower 3 fashion-cnn prune-magnitude, 0.80× the speed 2 convolutions have too few channels (0.250 ms)')
    expect(text).toContain('Keep it in float here.')
    expect(text).toContain('conv_1 0.100 ms 0.350 ms 0.250 ms Conv (NCHWc) → QLinearConv')
    expect(text).toContain('q_1 – 0.100 ms 0.100 ms none → QuantizeLinear')
    expect(text).toContain('Accuracy budget kept: 90.90 % against 91.30 %, at most 1.00 points allowed')
    expect(text).toContain('stem Conv 18.2 dB 0.100 ms it costs most head Gemm 21.4 dB – its outputs suffer')
    expect(text).toContain('multiply-accumulates 5,000,000 → 3,500,000, parameters 431,000 → 300,000, weights re-fitted')
    expect(text).toContain('conv_2 Conv 64 40')
    expect(visibleText(render([comparison()]))).not.toContain('Why slower')
  })

  it('is one file that loads nothing and runs nothing', () => {
    const page = render([comparison()])
    expect(elementNames(page)).not.toContain('link')
    expect(page).not.toMatch(/https?:|url\(|@import|<img|<iframe|<object|javascript:/i)
    expect(page.match(/<script\b[^>]*>/g)).toEqual(['<script type="application/json" id="edgesmith-report">'])
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? ''
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]
    const hash = createHash('sha256').update(style).digest('base64')
    expect(policy).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`)
  })

  it('escapes everything that comes from models, datasets and devices', () => {
    const [first, ...rest] = comparison().rows
    const [imported, ...builds] = models()
    if (!first || !imported) throw new Error('the fixture has rows and models')
    const evil = comparison({
      baseline: hostile,
      device: hostile,
      dataset: hostile,
      rows: [{ ...first, model: hostile, warnings: [hostile] }, ...rest.map((entry) => ({ ...entry, model: hostile, recipe: hostile }))],
    })
    for (const key of ['hostname', 'machine', 'system', 'cpu', 'governor', 'architecture', 'onnxRuntimeVersion'] as const)
      evil.environment[key] = hostile
    evil.environment.cpuFeatures = [hostile]
    const evilModels = [
      { ...imported, name: hostile, report: { ...imported.report, producer: hostile } },
      ...builds.map((build) => ({
        ...build,
        name: hostile,
        summary: build.summary && { ...build.summary, warnings: [hostile], skipped: [{ node: hostile, op: hostile, reason: hostile }] },
      })),
    ]
    const page = render([evil], evilModels)
    const plain = render([comparison()])
    // No element, attribute or script that an honest report does not have.
    expect([...elementNames(page)].sort()).toEqual([...elementNames(plain)].sort())
    expect(page.match(/<script\b/g)?.length).toBe(1)
    expect(page.match(/<style\b/g)?.length).toBe(1)
    expect(page.replace(/<script[\s\S]*<\/script>/, '').replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(visibleText(page)).toContain(`"><script>alert(1)</script><img src=x onerror='alert(1)'> &amp; ·[31m·reversed·</style></title>`)
  })

  it('carries everything as JSON that reads back', () => {
    const evil = comparison({ dataset: hostile })
    const page = render([evil])
    const embedded = /<script type="application\/json" id="edgesmith-report">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? ''
    expect(JSON.parse(embedded)).toMatchObject({
      format: 'edgesmith-report',
      version: 1,
      comparisons: [evil],
      models: [{ id: ids.baseline }, { id: ids.int8, target: 'x64' }],
    })
  })

  it('leaves accuracy out where it was not measured', () => {
    const unlabelled = comparison({ dataset: null, datasetId: null })
    unlabelled.rows = unlabelled.rows.map((entry) => ({ ...entry, metrics: null, accuracyDifference: null, evaluationId: null }))
    const text = visibleText(render([unlabelled]))
    expect(text).toContain('2.15× the speed of fashion-cnn, accuracy was not measured.')
    expect(text).toContain('none: accuracy was not measured')
    expect(text).not.toContain('top-1')
    expect(text).not.toContain('Accuracy and latency')
  })

  it('holds several comparisons, each with a heading of its own', () => {
    const page = render([comparison(), comparison({ device: 'pi5' })])
    expect(elementNames(page)).toContain('h2')
    const text = visibleText(page)
    expect(text).toContain('Summary this-computer: fashion-cnn int8-static is the fastest choice')
    expect(text).toContain('pi5: fashion-cnn int8-static is the fastest choice')
    expect(text).toContain('fashion-cnn on this-computer')
    expect(text).toContain('fashion-cnn on pi5')
    expect(text.match(/What is not claimed/g)?.length).toBe(1)
  })

  it('gives the same text for the same input', () => {
    expect(htmlReport(fullDocument())).toBe(htmlReport(fullDocument()))
  })

  it('follows the system, or the theme it is given, and opens everything for paper', () => {
    expect(render([comparison()])).toContain('<html lang="en">')
    const dark = htmlReport(comparisonDocument(), { theme: 'dark', withoutDocument: true })
    expect(dark).toContain('<html lang="en" data-theme="dark">')
    expect(dark).not.toContain('<script')
    const paper = htmlReport(comparisonDocument(), { unfolded: true })
    expect(paper).toContain('<details open>')
    expect(paper).not.toContain('<details>')
  })

  it('shows evaluations with intervals, mistakes, trust in confidence, residuals and parity', () => {
    const page = htmlReport(fullDocument())
    const text = visibleText(page)
    expect(text).toContain('On shapes-test, classes')
    expect(text).toContain('95 % interval 87.52 % – 93.21 % 87.52 % – 93.21 %')
    expect(text).toContain('calibration error 3.12 % 3.12 %')
    expect(text).toContain('3 star 2 ring 8')
    expect(text).toContain('R², 95 % interval 0.900 – 0.923')
    expect(text).toContain('boxes float32 31.4 dB 0.999640 0.991000 0.210 0.00400 –')
    expect(text).toContain('scores float32 identical')
    for (const label of ['Confusion matrix', 'Accuracy over confidence', 'Residuals over predicted values'])
      expect(page).toContain(`aria-label="${label}`)
  })

  it('shows benchmarks with noise, preflight, load, sweeps and latency over time', () => {
    const page = htmlReport(fullDocument())
    const text = visibleText(page)
    expect(text).toContain('fashion-cnn int8-static server, 200 requests a second 1 1.15 ms')
    expect(text).toContain('requests 200 a second offered, 199 a second answered')
    expect(text).toContain('other programs took 22 % of the processor')
    expect(text).toContain('load 1.9 below 0.2 not as wanted')
    expect(text).toContain('p99.9 not enough samples (1,000)')
    expect(text).toContain('Sweep of fashion-cnn int8-static on this-computer')
    expect(text).toContain('does most samples a second (1,951) with batches of 16 and 2 threads')
    for (const label of ['Median latency over samples in one inference', 'Throughput over samples', 'Latency of fashion-cnn over time'])
      expect(page).toContain(`aria-label="${label}`)
  })

  it('shows profiles, layers and explanations', () => {
    const page = htmlReport(fullDocument())
    const text = visibleText(page)
    expect(text).toContain('Where the time of fashion-cnn int8-static goes')
    expect(text).toContain('22.5 GMAC/s in float32, 61.0 GMAC/s in int8, 9.80 GB/s')
    // 3,000,000 MACs in 0.5 ms are 6 GMAC/s; its bound is the smaller of 61 and 9.8 × 3,000,000 ÷ 220,000.
    expect(text).toContain('conv_1 Conv int8 0.500 ms 50.00 % 3,000,000 220 kB 6.00 9.84 %')
    expect(text).toContain('conv_1 Conv 0.700 ms 0.500 ms −0.200 ms float32 → int8 34.2 dB 0.0400')
    expect(text).toContain('accuracy against the baseline −2.30 points, 95 % interval −4.10 points – −0.60 points')
    expect(text).toContain('3 star 100 95.00 % 82.00 % p = 0.003')
    for (const label of ['Time by operator', 'Speed of each layer', 'Signal to noise after each layer'])
      expect(page).toContain(`aria-label="${label}`)
  })

  it('says what its numbers do not say', () => {
    const text = visibleText(htmlReport(fullDocument()))
    for (const limit of [
      '1 run met a noisy machine',
      'The single benchmarks ran at different times',
      'It ran on a virtual or emulated machine (QEMU Standard PC, Some Processor 2.4 GHz)',
      'Tensors of some layers were compared on made-up inputs',
      '2 evaluations had fewer than 500 samples',
      'The baseline was not measured against itself',
    ])
      expect(text).toContain(limit)
    const quiet = comparison({ noiseFloor: { estimate: 1.002, ci95: [0.99, 1.01], verdict: 'no difference shown', blocks: 10 } })
    quiet.environment.machine = 'Raspberry Pi 5'
    const plain = visibleText(render([quiet]))
    expect(plain).toContain('Noise floor: fashion-cnn measured against itself in the same blocks gave 1.00× (95 % interval 0.99× – 1.01×)')
    expect(plain).not.toMatch(/noisy machine|different times|virtual|made-up|had fewer than|not measured against itself/)
  })

  it('lets no text of any part become markup', () => {
    const page = htmlReport(withHostileText(fullDocument()))
    const plain = htmlReport(fullDocument())
    expect([...elementNames(page)].sort()).toEqual([...elementNames(plain)].sort())
    expect(page.match(/<script\b/g)?.length).toBe(1)
    expect(page.match(/<style\b/g)?.length).toBe(1)
    expect(page.replace(/<script[\s\S]*<\/script>/, '').replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(page.replace(/<script[\s\S]*<\/script>/, '')).not.toMatch(/NaN|undefined|Infinity|\[object/)
  })

  it('stays small and drawable with the largest confusion matrix there is', () => {
    const classes = 200
    const [first] = fullDocument().evaluations
    if (!first?.classification) throw new Error('the fixture has a classification')
    const confusion = Array.from({ length: classes * classes }, (_, index) => index % 7)
    const evaluations = [{ ...first, classification: { ...first.classification, classes, confusion } }]
    const page = htmlReport(comparisonDocument({ comparisons: [], evaluations }), { withoutDocument: true })
    expect(page.length).toBeLessThan(1_500_000)
    expect(page.match(/class="cell"/g)?.length).toBeLessThanOrEqual(20)
  })
})
