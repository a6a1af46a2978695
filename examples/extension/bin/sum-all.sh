#!/bin/sh
# Adds two numbers at a time.
sum=0
for number; do sum=$(fastsum "$sum" "$number"); done
echo "$sum"
