// A React application with the hooks of @evenkeel/react, in StrictMode.
import { AnswerError, connect } from '@evenkeel/client';
import { createHooks, EvenkeelProvider } from '@evenkeel/react';
import { createElement, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

const { gateway, user } = Object.fromEntries(new URLSearchParams(location.search));
const client = connect({ gateway, user });
const { useConnectionState, useEvent, usePresence, useServe, useStream, useTopic } = createHooks();
const seen = { events: [], messages: [], renders: {}, errors: [], statuses: [] };
client.onStatus(({ type }) => seen.statuses.push(type));
addEventListener('unhandledrejection', ({ reason }) => seen.errors.push(String(reason)));
addEventListener('error', ({ message }) => seen.errors.push(message));

function Room({ topic, name }) {
  const [asked, setAsked] = useState(0);
  useServe('who', ({ fail }) => {
    if (fail) throw new AnswerError('declined', 'not now');
    setAsked(asked + 1);
    return { name, asked };
  });
  // New functions and a new object at each render.
  useEvent('number', ({ data }) => seen.events.push(data));
  // A pattern has neither a past nor somebody who is there.
  const isPattern = topic.includes('*');
  const room = useTopic(
    topic,
    ({ data, past }) => seen.messages.push(past ? `${data} (past)` : data),
    isPattern ? {} : { last: 20 },
  );
  const present = usePresence(isPattern ? null : topic);
  const answer = useStream('words.say');
  const state = useConnectionState();
  Object.assign(globalThis, { ask: answer.ask, cancel: answer.cancel, publish: room.publish });
  seen.renders = {
    state,
    topic: room.state,
    left: room.left?.reason,
    users: present?.users?.map((each) => each.user),
    answer: { state: answer.state, parts: answer.parts, value: answer.value, code: answer.error?.code },
  };
  return createElement('p', null, `${room.state}, ${present?.count ?? '?'} here`);
}

const root = createRoot(document.querySelector('main'));
/** Another `key` is another component. No topic: none is shown. */
globalThis.show = (topic, key = 'a') =>
  root.render(
    createElement(
      StrictMode,
      null,
      createElement(EvenkeelProvider, { client }, topic && createElement(Room, { topic, key, name: key })),
    ),
  );
globalThis.seen = () => seen;
