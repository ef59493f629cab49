import { dirname, resolve } from 'node:path'
import { assertWritableFolder } from '../../backend/use-cases/models.ts'
import { procedures } from '../../contract/procedures.ts'
import { defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing } from '../common-options.ts'
import { flag, setting, text } from '../option.ts'
import { findDataset, findDeployment, shortId } from '../references.ts'
import { reportPath } from '../report-path.ts'
import { runJob } from '../run-job.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { validationFailure, validationText } from '../validation-text.ts'

const { shape } = procedures['validate.start'].input

export const validateCommand = defineCommand({
  name: 'validate',
  summary: 'Check a service before production: answers, schema, accuracy, latency, load, restart',
  positionals: servicePositional,
  options: {
    ...serviceOptions,
    data: text('DATASET', 'labelled samples that are sent through the service: accuracy, golden answers and load are made of them'),
    samples: setting('N', shape.samples, 'samples that are sent for the accuracy, spread over the dataset'),
    'max-latency-ms': setting('MS', shape.maxLatencyMs, 'largest p95 of single requests'),
    'max-accuracy-drop': setting('X', shape.maxAccuracyDrop, 'largest loss against what was measured before (0.01 = one point)'),
    rps: setting('N', shape.requestsPerSecond, 'requests a second of the load test'),
    seconds: setting('S', shape.seconds, 'length of the load test'),
    'no-restart': flag('leave the process of the service alone'),
    report: text('FILE', 'also write a report to this file: .html, .pdf, .md, .json or .csv'),
    preprocess: preprocessOption,
  },
  notes: [
    'Exit code 1 when a check failed. A check that could not be made says why, and does not count as failed.',
    'The load comes from the machine of the service itself. Requests of a validation are counted by the service, in its drift windows and its prediction log too.',
  ],
  examples: ['validate classifier --data test.npz', 'validate classifier --rps 500 --seconds 60 --report validation.html --json'],
  run: async (context, options, { service }) => {
    const report = options.report === undefined ? null : reportPath(context.workingFolder, options.report)
    if (report !== null) await assertWritableFolder(dirname(resolve(report)))
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const deployment = await findDeployment(context, service, options.device)
    const dataset = options.data === undefined ? undefined : await findDataset(context, options.data, preprocessing)
    const validation = await runJob(context, 'validate.start', {
      deploymentId: deployment.id,
      datasetId: dataset?.id,
      samples: options.samples,
      maxLatencyMs: options['max-latency-ms'],
      maxAccuracyDrop: options['max-accuracy-drop'],
      requestsPerSecond: options.rps,
      seconds: options.seconds,
      restart: !options['no-restart'],
    })
    const backend = await context.backend()
    const written = report === null ? null : await backend.call('report.write', { validationIds: [validation.id], path: report })
    return {
      document: { ...validation, ...(written && { report: written }) },
      text: [
        validationText(validation),
        '',
        written ? `Report: ${written.path}` : `Report: edgesmith report ${shortId(validation.id)} --out report.html`,
      ].join('\n'),
      failure: validationFailure(validation),
    }
  },
})
