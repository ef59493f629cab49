import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'

const fixtures = join(import.meta.dirname, 'fixtures')
const schema = (name: string) => JSON.parse(readFileSync(join(fixtures, `${name}.schema.json`), 'utf8'))

/** Validators made of published schemas; `fixtures/make-schemas.py` says where from. */
export function schemaOf(name: 'compose-spec' | 'inference-service'): ValidateFunction {
  // Unknown keywords and unions of types are the publishers' business; its own dialect is draft 7, under an address Ajv does not know.
  const { $schema: _dialect, ...rest } = schema(name)
  return new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(rest)
}

/** Of one kind of object of Kubernetes 1.31; unknown fields are errors. */
export function kubernetesSchema(kind: string): ValidateFunction {
  const { definitions } = schema('kubernetes') as { definitions: Record<string, object> }
  if (definitions[kind] === undefined) throw new Error(`no schema of ${kind}`)
  return new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile({ $ref: `#/definitions/${kind}`, definitions })
}

/** What does not fit, in words. */
export function errorsOf(validate: ValidateFunction, value: unknown): string[] {
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
}
