import { expect, it } from 'vitest';
import { topicName, topicNumber, topicsOfClients } from './topic-load.js';

it('gives every topic a client and every client a topic; half of the topics have one client alone', () => {
  const ofClients = topicsOfClients(1_000, 20);
  const clientsOf = Array.from(
    { length: 20 },
    (_, topic) => ofClients.filter((own) => own.includes(topic)).length,
  );
  expect(clientsOf).toEqual([...new Array(10).fill(100), ...new Array(10).fill(1)]);
  expect(ofClients.every((own) => own.length > 0)).toBe(true);
  expect(topicsOfClients(3, 0)).toEqual([[], [], []]);
  expect(topicsOfClients(2, 1)).toEqual([[0], [0]]);
  expect(topicsOfClients(2, 3)).toEqual([
    [0, 1],
    [0, 2],
  ]);
});

it('reads a number back from its name', () => {
  expect(topicNumber(topicName(17))).toBe(17);
});
