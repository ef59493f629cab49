import { ActionIcon, Button, Menu, Tooltip, useComputedColorScheme } from '@mantine/core'
import { IconDots, IconDownload, IconExternalLink, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { ReportEntry } from '../../../contract/report.ts'
import { call } from '../../backend/call.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { DetailHeader } from '../../components/detail-header.tsx'
import { formatExactMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import { fileName } from '../../import/import-plan.ts'
import { contentsText } from './contents-text.ts'
import { openReportFile } from './open-report-file.ts'
import classes from './report-detail.module.css'
import { reportFormats } from './report-formats.ts'
import { useReportExport } from './use-report-export.tsx'

/** A report as its readers see it, and what can be done with it. */
export function ReportDetail({ report }: { report: ReportEntry }) {
  const [, navigate] = useLocation()
  const [removing, setRemoving] = useState(false)
  const scheme = useComputedColorScheme('light')
  const { exportReport, isPending } = useReportExport()
  const { id, title, path, origin } = report
  return (
    <div className={classes.detail} data-testid="report-detail" data-id={id}>
      <DetailHeader
        title={title}
        subtitle={
          <>
            <span>{contentsText(report)}</span>
            <span>
              {origin} {formatExactMoment(report.createdAt)}
            </span>
            {path ? (
              <span className="es-ellipsis" title={plainText(path, 400)}>
                {plainText(fileName(path), 60)}
              </span>
            ) : null}
          </>
        }
        actions={
          <>
            {path ? (
              <Tooltip label={plainText(path, 300)}>
                <Button
                  variant="default"
                  leftSection={<IconExternalLink size={14} aria-hidden />}
                  onClick={() => void openReportFile(path)}
                  data-testid="report-open"
                >
                  Open file
                </Button>
              </Tooltip>
            ) : null}
            <Menu position="bottom-end" width={220}>
              <Menu.Target>
                <Button leftSection={<IconDownload size={14} aria-hidden />} loading={isPending} data-testid="report-export">
                  Export as…
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {reportFormats.map(({ format, label }) => (
                  <Menu.Item key={format} onClick={() => void exportReport(report, format)} data-testid={`report-export-${format}`}>
                    {label}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
            <Menu position="bottom-end" width={160}>
              <Menu.Target>
                <ActionIcon variant="default" size={30} aria-label="More" data-testid="report-more">
                  <IconDots size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item color="red" leftSection={<IconTrash size={14} />} onClick={() => setRemoving(true)} data-testid="report-remove">
                  Remove…
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        }
      />
      <iframe
        className={classes.page}
        // No scripts, no forms, no way out: a report may come from elsewhere.
        sandbox=""
        src={`/report/${id}?theme=${scheme}`}
        title={plainText(title, 200)}
        data-testid="report-page"
      />
      {removing ? (
        <ConfirmDialog
          title="Remove this report?"
          confirmLabel="Remove"
          destructive
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await call('reports.remove', { id })
            navigate('/reports')
          }}
        >
          <strong>{plainText(title, 200)}</strong> is forgotten. Files that were written stay where they are, and what was measured stays in
          the workspace.
        </ConfirmDialog>
      ) : null}
    </div>
  )
}
