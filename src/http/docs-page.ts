/** The OpenAPI document as a plain page: no script, nothing from other hosts. */
import type { OpenApiDocument } from './openapi.ts';
import type { Operation } from './openapi-parts.ts';

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const style = `
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
  h2 { margin-top: 2.5rem; border-bottom: 1px solid #8884; }
  article { margin: 1.5rem 0; }
  h3 { margin: 0; font-size: 1rem; }
  code, pre { font: 14px/1.45 ui-monospace, monospace; }
  pre { background: #8881; padding: 0.75rem; white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 6px; }
  .method { display: inline-block; min-width: 4.5em; color: #0a7; }
  p { margin: 0.25rem 0; }
`;

/** @param url Of the server as the reader calls it, for the example. */
export function docsPage(document: OpenApiDocument, url: string): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map(tag => {
    const articles = operations
      .filter(({ operation }) => operation.tags.includes(tag))
      .map(({ path, method, operation }) => articleOf(path, method, operation));
    return `<h2>${escapeHtml(tag)}</h2>\n${articles.join('\n')}`;
  });
  const { title, version, description } = document.info;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>${escapeHtml(title)} API</title>
<style>${style}</style></head>
<body>
<h1>${escapeHtml(title)} ${escapeHtml(version)}</h1>
<p>${escapeHtml(description)} The same as a document: <a href="/openapi.json">/openapi.json</a>.</p>
<pre>curl -s ${escapeHtml(url)}/v1/sql -H 'Content-Type: application/json' -d '{"sql": "SELECT COUNT(*) FROM payments"}'</pre>
${sections.join('\n')}
</body>
</html>
`;
}

function articleOf(path: string, method: string, { summary, description, requestBody }: Operation): string {
  const content = requestBody?.content as Record<string, { schema: unknown }> | undefined;
  const bodies = Object.entries(content ?? {}).map(
    ([type, { schema }]) =>
      `<details><summary>${escapeHtml(type)}</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`,
  );
  return `<article>
<h3><code><span class="method">${method.toUpperCase()}</span> ${escapeHtml(path)}</code></h3>
<p>${escapeHtml(summary)}.${description === undefined ? '' : ` ${escapeHtml(description)}`}</p>
${bodies.join('\n')}
</article>`;
}
