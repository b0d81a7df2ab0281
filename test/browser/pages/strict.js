// A React application in StrictMode, which mounts every component, unmounts it and mounts it again.
import { createElement, StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { connect } from '/evenkeel.js';

const { gateway, user, topic } = Object.fromEntries(new URLSearchParams(location.search));
const client = connect({ gateway, user });
const seen = { events: [], messages: [], mounts: 0, errors: [], statuses: [] };
client.onStatus(({ type }) => seen.statuses.push(type));
addEventListener('unhandledrejection', ({ reason }) => seen.errors.push(String(reason)));

// One function for all components, as with a hook that many of them use.
const onNumber = ({ data }) => seen.events.push(data);
const onMessage = ({ data }) => seen.messages.push(data);

function Listener() {
  useEffect(() => {
    seen.mounts += 1;
    const stop = client.on('number', onNumber);
    const subscribed = client.subscribe(topic, onMessage);
    return () => {
      stop();
      subscribed.then((subscription) => subscription.unsubscribe());
    };
  }, []);
  return null;
}

const root = createRoot(document.querySelector('main'));
globalThis.show = (count) =>
  root.render(
    createElement(
      StrictMode,
      null,
      Array.from({ length: count }, (_, key) => createElement(Listener, { key })),
    ),
  );
globalThis.seen = () => ({ ...seen, state: client.state });
