create database if not exists example;
create user if not exists 'example'@'%' identified by 'example';
grant all on example.* to 'example'@'%';
