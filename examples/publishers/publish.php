#!/usr/bin/php
<?php
// Publishes one event by AMQP from PHP: apt-get install php-cli php-amqplib
// export $(npx evenkeel env); examples/publishers/publish.php alice order.created '{"number": 7}' [ID]
require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

[, $user, $event, $body] = $argv;
$id = $argv[4] ?? bin2hex(random_bytes(16));

$url = parse_url(getenv('EVENKEEL_APP_AMQP_URL'));
$vhost = isset($url['path']) ? rawurldecode(substr($url['path'], 1)) : '/';
$connection = new AMQPStreamConnection(
    $url['host'], $url['port'] ?? 5672, rawurldecode($url['user']), rawurldecode($url['pass']), $vhost);
$channel = $connection->channel();
$channel->confirm_select();

$isReturned = false;
$channel->set_return_listener(function () use (&$isReturned) { $isReturned = true; });
$message = new AMQPMessage($body, [
    'content_type' => 'application/json',
    'message_id' => $id, // who gets it twice knows it by that
    'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
    'application_headers' => new AMQPTable(['evenkeel-at' => (int) (microtime(true) * 1000)]),
]);
$channel->basic_publish($message, 'mesh.events', "user.$user.$event", true);
$channel->wait_for_pending_acks_returns(30); // until RabbitMQ has it
$connection->close();

if ($isReturned) {
    fwrite(STDERR, "$user has no session: $id reached nobody\n");
    exit(1);
}
echo "$id\n";
