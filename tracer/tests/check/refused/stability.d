/* with: amin=Evolving/Evolving/Common version=1.2 */
inline int newer = 3;
#pragma D binding "1.5" newer
inline int mine = 4;
#pragma D attributes Private/Private/Unknown mine
dtrace:::BEGIN { trace(newer); }
dtrace:::BEGIN { htons(1); ntohs = 1; trace(ntohs); }
dtrace:::BEGIN { trace(mine); trace(curthread); trace(`vfs_read); }
dtrace:::BEGIN /curthread != 0/ { @[mutex_owner(curthread)] = count(); }
BEGIN, syscall::read:entry { trace(probename); trace(probemod); }
