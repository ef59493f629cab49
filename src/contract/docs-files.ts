/** Files of Swagger UI, which lie beside agent.cjs wherever it is; written by scripts/setup/agent-bundle.mjs. */
export const docsFiles = {
  script: 'swagger-ui-bundle.js.gz',
  style: 'swagger-ui.css.gz',
  /** Licences of Swagger UI and of what is in it. */
  licence: 'swagger-ui-licence.txt',
} as const
