// The server's OpenAPI as a page, without anything from elsewhere.

import { h } from "./dom.js";

const METHODS = ["get", "post", "put", "delete"];

function article(path, method, told, schemas) {
  const parameters = (told.parameters ?? []).map((one) => h("li", {}, h("code", {}, one.name), ` (${one.in})`, one.description ? `: ${one.description}` : ""));
  const bodies = Object.entries(told.requestBody?.content ?? {}).map(([type, { schema }]) =>
    h("details", {}, h("summary", {}, `body: ${type}`), h("pre", {}, JSON.stringify(resolved(schema, schemas), null, 1))));
  return h("article", { id: told.operationId },
    h("h3", {}, h("span", { class: "method" }, method.toUpperCase()), path), h("p", {}, h("strong", {}, told.summary ?? "")),
    told.description && h("p", {}, told.description), parameters.length > 0 && h("ul", {}, parameters), bodies,
    path === "/transcribe" && h("pre", {}, `curl -F files=@page.jpg -F files=@page.xml ${new URL("transcribe", location)}`));
}

/** Put what is named in its place, a few levels deep. */
function resolved(schema, schemas, depth = 0) {
  if (!schema || typeof schema !== "object" || depth > 12) return schema;
  if (schema.$ref) return resolved(schemas[schema.$ref.split("/").at(-1)], schemas, depth + 1);
  if (Array.isArray(schema)) return schema.map((one) => resolved(one, schemas, depth + 1));
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, resolved(value, schemas, depth + 1)]));
}

const api = await (await fetch("openapi.json")).json();
const parts = new Map();
for (const [path, methods] of Object.entries(api.paths))
  for (const method of METHODS.filter((name) => name in methods)) {
    const tag = methods[method].tags?.[0] ?? "";
    parts.set(tag, [...(parts.get(tag) ?? []), article(path, method, methods[method], api.components?.schemas ?? {})]);
  }
document.getElementById("docs").replaceChildren(
  h("h1", {}, `${api.info.title} ${api.info.version}`), h("p", {}, api.info.summary ?? "", " ", h("a", { href: "openapi.json" }, "openapi.json"), " · ", h("a", { href: "./" }, "page")),
  ...[...parts].flatMap(([tag, articles]) => [h("h2", {}, tag), ...articles]));
