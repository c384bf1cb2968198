// Requests to the server; a fault becomes an Error with the server's one line.

/** The server's answer to a request that it refused. */
export class Refused extends Error {
  constructor(status, line) {
    super(line);
    this.status = status;
  }
}

async function ask(method, path, body, more = {}) {
  const isForm = body instanceof FormData;
  const headers = body && !isForm ? { "content-type": "application/json" } : {};
  const sent = isForm || body === undefined ? body : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: sent, ...more });
  } catch {
    throw new Refused(0, "the server does not answer");
  }
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, data.error ?? answer.statusText);
  return data;
}

export const get = (path) => ask("GET", path);
export const post = (path, body, more) => ask("POST", path, body, more);
export const put = (path, body, more) => ask("PUT", path, body, more);
export const remove = (path) => ask("DELETE", path);

/** Send files to be added to the project; return their entries. */
export function addFiles(files) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  return post("api/files", form);
}
