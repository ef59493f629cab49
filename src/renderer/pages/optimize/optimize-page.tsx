import { IconAdjustmentsBolt } from '@tabler/icons-react'
import { useEffect } from 'react'
import { useLocation } from 'wouter'
import { useCall } from '../../backend/use-call.ts'
import { useJob } from '../../backend/use-jobs.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { useDraft } from '../../hooks/use-draft.ts'
import { Expectations } from './expectations.tsx'
import { emptyDraft } from './optimize-draft.ts'
import { OptimizeForm } from './optimize-form.tsx'
import { OptimizeOutcome } from './optimize-outcome.tsx'
import classes from './optimize-page.module.css'
import { RecentBuilds } from './recent-builds.tsx'

/** Makes a build: the recipe on the left, what to expect and what came out on the right. */
export function OptimizePage({ modelId }: { modelId: string | null }) {
  const [, navigate] = useLocation()
  const [draft, setDraft] = useDraft('optimize', emptyDraft)
  const [jobId, setJobId] = useDraft<string | null>('optimize-job', () => null)
  const models = useCall('models.list', {})
  const job = useJob(jobId)
  useEffect(() => {
    if (modelId !== null) setDraft((previous) => ({ ...previous, modelId }))
  }, [modelId, setDraft])
  return (
    <div className={pageClasses.page}>
      <PageHeader title="Optimize" />
      <div className={pageClasses.body}>
        <AsyncView query={models}>
          {(list) =>
            list.length === 0 ? (
              <EmptyPage
                Icon={IconAdjustmentsBolt}
                title="Nothing to optimize yet"
                actions={<LinkButton href="/models">Go to Models</LinkButton>}
              >
                Optimizing makes a smaller or faster build of a model by a recipe. Import a model first, or take the samples.
              </EmptyPage>
            ) : (
              <div className={classes.columns}>
                <OptimizeForm
                  draft={draft}
                  setDraft={(change) => {
                    setDraft(change)
                    // The address names a model; once another one is chosen it must not bring the old one back.
                    if (modelId !== null) navigate('/optimize', { replace: true })
                  }}
                  models={list}
                  onStarted={setJobId}
                />
                <div className={classes.right}>
                  {job ? <OptimizeOutcome job={job} onClose={() => setJobId(null)} /> : null}
                  <Expectations steps={draft.steps} target={draft.target} />
                  <RecentBuilds models={list} />
                </div>
              </div>
            )
          }
        </AsyncView>
      </div>
    </div>
  )
}
