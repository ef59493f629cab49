import { useHotkeys } from '@mantine/hooks'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { FileDrop } from '../import/file-drop.tsx'
import { ImportFilesProvider } from '../import/import-files.tsx'
import { JobTray } from '../jobs/job-tray.tsx'
import { BenchmarksPage } from '../pages/benchmarks/benchmarks-page.tsx'
import { ComparePage } from '../pages/compare/compare-page.tsx'
import { DatasetsPage } from '../pages/datasets/datasets-page.tsx'
import { DeploymentsPage } from '../pages/deployments/deployments-page.tsx'
import { DevicesPage } from '../pages/devices/devices-page.tsx'
import { ModelsPage } from '../pages/models/models-page.tsx'
import { OptimizePage } from '../pages/optimize/optimize-page.tsx'
import { ReportsPage } from '../pages/reports/reports-page.tsx'
import { ForwardNotices } from '../ports/forward-notices.tsx'
import { QuestionDialog } from '../questions/question-dialog.tsx'
import classes from './app-shell.module.css'
import { BackendBanner } from './backend-banner.tsx'
import { Navigation } from './navigation.tsx'
import { PageBoundary } from './page-boundary.tsx'
import { sections } from './sections.ts'

/** The window: pages on the left, one page in the middle, jobs at the bottom. */
export function AppShell() {
  const [location, navigate] = useLocation()
  useHotkeys(
    sections.map(({ name }, index) => [`mod+${index + 1}`, () => navigate(`/${name}`)]),
    [],
  )
  return (
    <ImportFilesProvider>
      <div className={classes.shell}>
        <BackendBanner />
        <Navigation />
        <main className={classes.main}>
          <PageBoundary key={location.split('/')[1]}>
            <Switch>
              <Route path="/models/:id?">{({ id }) => <ModelsPage selectedId={id ?? null} />}</Route>
              <Route path="/datasets/:id?">{({ id }) => <DatasetsPage selectedId={id ?? null} />}</Route>
              <Route path="/optimize/:modelId?">{({ modelId }) => <OptimizePage modelId={modelId ?? null} />}</Route>
              <Route path="/benchmarks/:view?/:id?">{({ view, id }) => <BenchmarksPage view={view ?? null} id={id ?? null} />}</Route>
              <Route path="/compare/new/:baselineId?/:modelId?">
                {({ baselineId, modelId }) => <ComparePage view="new" baselineId={baselineId ?? null} modelId={modelId ?? null} />}
              </Route>
              <Route path="/compare/:id?">{({ id }) => <ComparePage view="result" id={id ?? null} />}</Route>
              <Route path="/devices/:id?">{({ id }) => <DevicesPage selectedId={id ?? null} />}</Route>
              <Route path="/deployments/new/:modelId?">
                {({ modelId }) => <DeploymentsPage selectedId={null} deploy={{ modelId: modelId ?? null, deploymentId: null }} />}
              </Route>
              <Route path="/deployments/release/:id">
                {({ id }) => <DeploymentsPage selectedId={id} deploy={{ modelId: null, deploymentId: id }} />}
              </Route>
              <Route path="/deployments/:id?">{({ id }) => <DeploymentsPage selectedId={id ?? null} deploy={null} />}</Route>
              <Route path="/reports/:id?">{({ id }) => <ReportsPage selectedId={id ?? null} />}</Route>
              <Route>
                <Redirect to="/models" replace />
              </Route>
            </Switch>
          </PageBoundary>
        </main>
        <JobTray />
        <FileDrop />
        <ForwardNotices />
        <QuestionDialog />
      </div>
    </ImportFilesProvider>
  )
}
