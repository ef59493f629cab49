import { IconBox, IconCornerDownRight } from '@tabler/icons-react'
import type { Model } from '../../../contract/model.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './model-name.module.css'

/** Deeper builds are not indented further: their lineage is in the details. */
const MAX_INDENT = 4

/** A model's name with its place in the tree. */
export function ModelName({ model, depth }: { model: Model; depth: number }) {
  return (
    <span className={classes.name} style={{ paddingLeft: Math.max(0, Math.min(depth, MAX_INDENT) - 1) * 18 }}>
      {depth > 0 ? (
        <IconCornerDownRight size={14} stroke={1.5} className={classes.branch} aria-label="Build" />
      ) : (
        <IconBox size={15} stroke={1.5} className={classes.box} aria-label={model.kind === 'build' ? 'Build' : 'Model'} />
      )}
      <span className={depth > 0 ? 'es-ellipsis' : `${classes.root} es-ellipsis`} title={plainText(model.name)}>
        {plainText(model.name, 80)}
      </span>
    </span>
  )
}
