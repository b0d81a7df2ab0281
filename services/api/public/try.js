/** The page to try the API: a form for each operation of openapi.json. The key stays in this page's memory. */
const { paths } = await (await fetch('openapi.json')).json();
const main = document.getElementById('operations');
const key = document.getElementById('key');

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const field = (label, input) => element('label', {}, label, input);

function formOf(path, method, operation) {
  const inputs = (operation.parameters ?? []).map((parameter) => ({
    parameter,
    input: element('input', { spellcheck: false, placeholder: parameter.description ?? '' }),
  }));
  const content = operation.requestBody?.content['application/json'];
  const [example] = Object.values(content?.examples ?? {});
  const body =
    content &&
    element('textarea', { rows: 6, spellcheck: false, value: JSON.stringify(example?.value ?? {}, null, 2) });
  const answer = element('pre', { role: 'status' });
  const form = element(
    'form',
    {},
    ...inputs.map(({ parameter, input }) => field(parameter.name, input)),
    ...(body ? [field('Body', body)] : []),
    element('button', {}, 'Send'),
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    answer.textContent = '…';
    answer.textContent = await ask(path, method, inputs, body).catch((error) => String(error));
  });
  return element(
    'section',
    {},
    element('h2', {}, operation.summary),
    element('p', {}, element('code', {}, `${method.toUpperCase()} ${path}`)),
    element('p', {}, operation.description),
    form,
    answer,
  );
}

async function ask(path, method, inputs, body) {
  const query = new URLSearchParams();
  let url = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value !== '') query.set(parameter.name, input.value);
  }
  const response = await fetch(`${url}${query.size > 0 ? `?${query}` : ''}`, {
    method: method.toUpperCase(),
    headers: {
      ...(key.value && { authorization: `Bearer ${key.value}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: body.value }),
  });
  const text = await response.text();
  return `${response.status} ${response.statusText}\n${text}`;
}

main.replaceChildren(
  ...Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => formOf(path, method, operation)),
  ),
);
