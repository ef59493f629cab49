import { Button } from '@mantine/core'
import { IconFileAnalytics, IconFileImport, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { FilterBox } from '../../components/filter-box.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { NewReportDialog } from './new-report-dialog.tsx'
import { ReportDetail } from './report-detail.tsx'
import { ReportsTable } from './reports-table.tsx'
import { useImportReport } from './use-import-report.ts'

/** Reports that were written or imported; one of them is shown as its readers see it. */
export function ReportsPage({ selectedId }: { readonly selectedId: string | null }) {
  const [, navigate] = useLocation()
  const [filter, setFilter] = useState('')
  const [isMaking, setMaking] = useState(false)
  const reports = useCall('reports.list', {})
  const { importReport, isPending } = useImportReport()
  const actions = (
    <>
      <Button
        variant="default"
        leftSection={<IconFileImport size={15} />}
        onClick={() => void importReport()}
        loading={isPending}
        data-testid="report-import"
      >
        Import…
      </Button>
      <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)} data-testid="report-new">
        New report
      </Button>
    </>
  )
  return (
    <div className={pageClasses.page}>
      <PageHeader title="Reports" actions={actions}>
        <FilterBox value={filter} onChange={setFilter} label="Filter reports" hotkey />
      </PageHeader>
      <div className={pageClasses.body}>
        <AsyncView query={reports}>
          {(list) => {
            if (list.length === 0) {
              return (
                <EmptyPage
                  Icon={IconFileAnalytics}
                  title="No reports yet"
                  testId="reports-empty"
                  actions={
                    <>
                      <Button size="sm" onClick={() => setMaking(true)}>
                        New report
                      </Button>
                      <Button size="sm" variant="default" onClick={() => void importReport()}>
                        Import a report
                      </Button>
                    </>
                  }
                >
                  A report puts comparisons, benchmarks, evaluations and analyses into one file that others can check: method, machine,
                  intervals and limits included. One that was written as .json, here or elsewhere, can be imported and shows the same
                  charts.
                </EmptyPage>
              )
            }
            const word = filter.trim().toLowerCase()
            const shown = list.filter(({ title, path }) => `${title} ${path ?? ''}`.toLowerCase().includes(word))
            const selected = list.find(({ id }) => id === selectedId) ?? shown[0]
            return (
              <SplitView
                name="reports"
                listSize={30}
                list={<ReportsTable reports={shown} selectedId={selected?.id ?? null} onSelect={(id) => navigate(`/reports/${id}`)} />}
                detail={selected ? <ReportDetail key={selected.id} report={selected} /> : null}
              />
            )
          }}
        </AsyncView>
      </div>
      {isMaking ? <NewReportDialog onClose={() => setMaking(false)} /> : null}
    </div>
  )
}
