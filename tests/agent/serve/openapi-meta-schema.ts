/**
 * As much of the form of OpenAPI 3.1 as a document of ours can use, closed: what is not described here is wrong. Written after the OpenAPI
 * Specification 3.1.1, sections 4.8.1 to 4.8.30; schemas themselves are checked by compiling them.
 */
const text = { type: 'string', minLength: 1 }
const closed = (properties: object, required: readonly string[]) => ({ type: 'object', properties, required, additionalProperties: false })
const mapOf = (values: object, keys = '^.+$') => ({ type: 'object', patternProperties: { [keys]: values }, additionalProperties: false })
const reference = (kind: string) => closed({ $ref: { type: 'string', pattern: `^#/components/${kind}/[A-Za-z0-9._-]+$` } }, ['$ref'])
const orReference = (kind: string, schema: object) => ({ oneOf: [reference(kind), schema] })
const mediaTypes = mapOf(closed({ schema: { type: ['object', 'boolean'] }, example: true }, ['schema']), '^[a-z]+/[a-z0-9.+-]+$')
const header = closed({ description: text, schema: { type: 'object' } }, ['schema'])
const parameter = closed(
  {
    name: text,
    in: { enum: ['query', 'header', 'path', 'cookie'] },
    description: text,
    required: { type: 'boolean' },
    schema: { type: 'object' },
  },
  ['name', 'in', 'schema'],
)
const response = closed({ description: text, headers: mapOf(orReference('headers', header)), content: mediaTypes }, ['description'])
const operation = closed(
  {
    operationId: text,
    summary: text,
    description: text,
    tags: { type: 'array', items: text },
    parameters: { type: 'array', items: orReference('parameters', parameter) },
    requestBody: closed({ required: { type: 'boolean' }, content: mediaTypes }, ['content']),
    responses: { ...mapOf(orReference('responses', response), '^[1-5][0-9]{2}$'), minProperties: 1 },
  },
  ['operationId', 'summary', 'tags', 'responses'],
)

export const openApiMetaSchema = closed(
  {
    openapi: { type: 'string', pattern: '^3\\.1\\.\\d+$' },
    info: closed({ title: text, version: text, description: text }, ['title', 'version']),
    security: { type: 'array', items: mapOf({ type: 'array', items: text }) },
    tags: { type: 'array', items: closed({ name: text, description: text }, ['name']) },
    paths: mapOf(mapOf(operation, '^(get|post)$'), '^/'),
    components: closed(
      {
        securitySchemes: mapOf({
          oneOf: [
            closed({ type: { const: 'http' }, scheme: { const: 'bearer' } }, ['type', 'scheme']),
            closed({ type: { const: 'apiKey' }, in: { const: 'header' }, name: text }, ['type', 'in', 'name']),
          ],
        }),
        parameters: mapOf(parameter),
        headers: mapOf(header),
        responses: mapOf(response),
        schemas: mapOf({ type: 'object' }, '^[A-Za-z0-9._-]+$'),
      },
      ['schemas'],
    ),
  },
  ['openapi', 'info', 'paths'],
)
