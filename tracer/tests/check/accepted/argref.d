/* with: argref arg=1 arg=2 */
BEGIN { trace($2); }
