import { ActionIcon, Button, Menu } from '@mantine/core'
import {
  IconAdjustmentsBolt,
  IconChartDots,
  IconCloudUpload,
  IconDots,
  IconDownload,
  IconPackageExport,
  IconPencil,
  IconTrash,
} from '@tabler/icons-react'
import { Fragment, useState } from 'react'
import { Link, useLocation } from 'wouter'
import type { Model } from '../../../contract/model.ts'
import { RenameDialog } from '../../components/rename-dialog.tsx'
import { plainText, shortHash } from '../../format/plain-text.ts'
import { ExportDialog } from './export-dialog.tsx'
import { exportModel } from './export-model.ts'
import classes from './model-header.module.css'
import { lineageOf } from './model-tree.ts'
import { RemoveModelDialog } from './remove-model-dialog.tsx'

interface ModelHeaderProps {
  readonly model: Model
  readonly models: readonly Model[]
}

/** Name, lineage and what can be done with a model. */
export function ModelHeader({ model, models }: ModelHeaderProps) {
  const [, navigate] = useLocation()
  const [dialog, setDialog] = useState<'rename' | 'export' | 'remove' | null>(null)
  const lineage = lineageOf(model, new Map(models.map((entry) => [entry.id, entry])))
  const compareHref = model.parentId ? `/compare/new/${model.parentId}/${model.id}` : `/compare/new/${model.id}`
  return (
    <div className={classes.header}>
      {lineage.length > 1 ? (
        <nav className={classes.lineage} aria-label="Lineage">
          {lineage.slice(0, -1).map((ancestor) => (
            <Fragment key={ancestor.id}>
              <Link href={`/models/${ancestor.id}`}>{plainText(ancestor.name, 60)}</Link>
              <span aria-hidden>›</span>
            </Fragment>
          ))}
        </nav>
      ) : null}
      <div className={classes.line}>
        <h2 className={`${classes.name} es-ellipsis`} title={plainText(model.name)} data-testid="model-name">
          {plainText(model.name, 120)}
        </h2>
        <span className={`${classes.hash} es-mono`} title={model.sha256}>
          {shortHash(model.sha256)}
        </span>
      </div>
      <div className={classes.actions}>
        <Button
          leftSection={<IconAdjustmentsBolt size={14} />}
          onClick={() => navigate(`/optimize/${model.id}`)}
          data-testid="model-optimize"
        >
          Optimize
        </Button>
        <Button
          variant="default"
          leftSection={<IconChartDots size={14} />}
          onClick={() => navigate(compareHref)}
          data-testid="model-compare"
        >
          Compare
        </Button>
        <Button
          variant="default"
          leftSection={<IconCloudUpload size={14} />}
          onClick={() => navigate(`/deployments/new/${model.id}`)}
          data-testid="model-deploy"
        >
          Deploy
        </Button>
        <Menu position="bottom-end" width={210}>
          <Menu.Target>
            <ActionIcon variant="default" size={30} aria-label="More" data-testid="model-more">
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={14} />} onClick={() => setDialog('rename')}>
              Rename…
            </Menu.Item>
            <Menu.Item leftSection={<IconDownload size={14} />} onClick={() => void exportModel(model)}>
              Save as .onnx…
            </Menu.Item>
            <Menu.Item leftSection={<IconPackageExport size={14} />} onClick={() => setDialog('export')} data-testid="model-export">
              Export for operations…
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item color="red" leftSection={<IconTrash size={14} />} onClick={() => setDialog('remove')}>
              Remove…
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      {dialog === 'rename' ? <RenameDialog procedure="models.rename" subject={model} onClose={() => setDialog(null)} /> : null}
      {dialog === 'export' ? <ExportDialog model={model} onClose={() => setDialog(null)} /> : null}
      {dialog === 'remove' ? <RemoveModelDialog model={model} onClose={() => setDialog(null)} /> : null}
    </div>
  )
}
