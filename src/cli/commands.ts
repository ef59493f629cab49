import type { Command } from './command.ts'
import { benchCommand } from './commands/bench.ts'
import { compareCommand } from './commands/compare.ts'
import { connectCommand } from './commands/connect.ts'
import { datasetAddCommand } from './commands/dataset-add.ts'
import { datasetDuplicatesCommand } from './commands/dataset-duplicates.ts'
import { datasetRemoveCommand } from './commands/dataset-remove.ts'
import { datasetRenameCommand } from './commands/dataset-rename.ts'
import { datasetShowCommand } from './commands/dataset-show.ts'
import { datasetSplitCommand } from './commands/dataset-split.ts'
import { datasetsCommand } from './commands/datasets.ts'
import { deployCommand } from './commands/deploy.ts'
import { deploymentsCommand } from './commands/deployments.ts'
import { deviceAddCommand } from './commands/device-add.ts'
import { deviceHostsCommand } from './commands/device-hosts.ts'
import { deviceListCommand } from './commands/device-list.ts'
import { devicePrepareCommand } from './commands/device-prepare.ts'
import { deviceProbeCommand } from './commands/device-probe.ts'
import { deviceRemoveCommand } from './commands/device-remove.ts'
import { deviceWatchCommand } from './commands/device-watch.ts'
import { doctorCommand } from './commands/doctor.ts'
import { evaluateCommand } from './commands/evaluate.ts'
import { explainCommand } from './commands/explain.ts'
import { exportCommand } from './commands/export.ts'
import { inspectCommand } from './commands/inspect.ts'
import { jobCommand } from './commands/job.ts'
import { jobsCommand } from './commands/jobs.ts'
import { layersCommand } from './commands/layers.ts'
import { logsCommand } from './commands/logs.ts'
import { matrixCommand } from './commands/matrix.ts'
import { modelsCommand } from './commands/models.ts'
import { optimizeCommand } from './commands/optimize.ts'
import { parityCommand } from './commands/parity.ts'
import { predictionsCommand } from './commands/predictions.ts'
import { profileCommand } from './commands/profile.ts'
import { promoteCommand } from './commands/promote.ts'
import { reportCommand, reportImportCommand } from './commands/report.ts'
import { rollbackCommand } from './commands/rollback.ts'
import { runsCommand, runsCompareCommand } from './commands/runs.ts'
import { sensitivityCommand } from './commands/sensitivity.ts'
import { serveCommand } from './commands/serve.ts'
import { startCommand } from './commands/start.ts'
import { statusCommand } from './commands/status.ts'
import { stopCommand } from './commands/stop.ts'
import { undeployCommand } from './commands/undeploy.ts'
import { validateCommand } from './commands/validate.ts'
import { weightCommand } from './commands/weight.ts'
import { withdrawCommand } from './commands/withdraw.ts'

/** Every command, in the order the help lists them. */
export const commands: readonly Command[] = [
  inspectCommand,
  optimizeCommand,
  sensitivityCommand,
  evaluateCommand,
  benchCommand,
  compareCommand,
  explainCommand,
  profileCommand,
  layersCommand,
  parityCommand,
  matrixCommand,
  reportCommand,
  reportImportCommand,
  deviceAddCommand,
  deviceListCommand,
  deviceProbeCommand,
  devicePrepareCommand,
  deviceWatchCommand,
  deviceHostsCommand,
  deviceRemoveCommand,
  deployCommand,
  deploymentsCommand,
  connectCommand,
  statusCommand,
  rollbackCommand,
  predictionsCommand,
  weightCommand,
  promoteCommand,
  withdrawCommand,
  logsCommand,
  stopCommand,
  startCommand,
  validateCommand,
  undeployCommand,
  serveCommand,
  exportCommand,
  modelsCommand,
  datasetsCommand,
  datasetAddCommand,
  datasetShowCommand,
  datasetSplitCommand,
  datasetDuplicatesCommand,
  datasetRenameCommand,
  datasetRemoveCommand,
  runsCommand,
  runsCompareCommand,
  jobsCommand,
  jobCommand,
  doctorCommand,
]
